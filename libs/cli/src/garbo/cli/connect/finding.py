"""What one check found: one line, and the mend."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "wrong", "skipped"]


@dataclass(frozen=True, slots=True)
class Found:
    """One check's line. `note`: it works, and one should know; `skipped`: another check comes first."""

    name: str
    state: State
    seen: str
    mend: str = ""


def ok(name: str, seen: str) -> Found:
    """Say that it is right."""
    return Found(name, "ok", seen)


def note(name: str, seen: str, mend: str) -> Found:
    """Say that it works, and what should be known."""
    return Found(name, "note", seen, mend)


def wrong(name: str, seen: str, mend: str) -> Found:
    """Say what does not work, and the mend."""
    return Found(name, "wrong", seen, mend)


def skipped(name: str, seen: str, mend: str = "") -> Found:
    """Say why it was not looked at."""
    return Found(name, "skipped", seen, mend)
