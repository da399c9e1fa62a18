"""What a check found."""

from collections.abc import Callable
from dataclasses import dataclass

from garbo.common.errors import StartRefused


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is right, and if not, what to type."""

    name: str
    right: bool
    seen: str
    mend: str = ""


def judged(name: str, look: Callable[[], str], mend: str = "") -> Finding:
    """Look; a StartRefused is a fault in its own words, cut into what is wrong and what to type."""
    try:
        return Finding(name, right=True, seen=look())
    except StartRefused as refused:
        return refusal(name, refused, mend)


def refusal(name: str, refused: StartRefused, mend: str = "") -> Finding:
    """Turn a refusal into a finding."""
    wrong, _, type_this = str(refused).partition(": type ")
    return Finding(name, right=False, seen=wrong, mend=type_this or mend)
