"""What is wrong with a submission, field by field, in words that say what to do."""

from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from garbo.common.events.faults import Place, advice_of

MAX_NAME_CHARS: Final = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where (index in the array, if it was one; field), and what to do."""

    index: int | None
    place: Place
    detail: str

    @property
    def field(self) -> str:
        """Name the field with dots, such as `to.phone`; empty for the whole element."""
        return ".".join(str(step)[:MAX_NAME_CHARS] for step in self.place)

    @property
    def pointer(self) -> str:
        """Point at the field (RFC 6901) in the body as it was sent."""
        steps = self.place if self.index is None else (self.index, *self.place)
        escaped = (str(step)[:MAX_NAME_CHARS].replace("~", "~0").replace("/", "~1") for step in steps)
        return "".join(f"/{step}" for step in escaped)


def faults_of(error: ValidationError, *, index: int | None) -> list[Fault]:
    """Say of each field what to do, in the words of the contract."""
    return [Fault(index, place, advice) for place, advice in advice_of(error)]
