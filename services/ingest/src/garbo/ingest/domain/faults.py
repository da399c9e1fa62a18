"""What is wrong with a submission, field by field, in words that say what to do."""

from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

Place = tuple[str | int, ...]

MAX_NAME_CHARS: Final = 100
_TAGS: Final = frozenset(
    {"text", "template", "image", "video", "audio", "document", "interactive", "location", "reaction"}
)
_ADVICE: Final = {
    "missing": "is missing: give it",
    "extra_forbidden": "is no field here: correct its name, or remove it",
    "union_tag_not_found": "needs a type: text, template, image ...",
    "uuid_parsing": "must be a UUID",
    "uuid_type": "must be a UUID",
    "timezone_aware": "must carry its UTC offset, such as 2026-06-01T10:00:00+02:00 or ...Z",
    "datetime_from_date_parsing": "must be an instant with its UTC offset, such as 2026-06-01T10:00:00Z",
    "datetime_parsing": "must be an instant with its UTC offset, such as 2026-06-01T10:00:00Z",
}
_PHONES: Final = (("to", "phone"), ("same_as", "phone"))
_PHONE_ADVICE: Final = "is not a phone number: give E.164, such as +393331234567"


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
    """Say of each field what to do. Quotes no value: texts and addresses stay with the sender."""
    found = error.errors(include_input=False, include_url=False)
    return [Fault(index, _place(one["loc"]), _advice(one)) for one in found]


def _place(loc: tuple[int | str, ...]) -> Place:
    """Leave out the union's tag, which pydantic puts between `content` and its own fields."""
    tagged = len(loc) > 1 and loc[0] == "content" and loc[1] in _TAGS
    return (*loc[:1], *loc[2:]) if tagged else loc


def _advice(error: Any) -> str:  # noqa: ANN401 - pydantic_core.ErrorDetails, which only its stubs export
    if error["loc"][-2:] in _PHONES:
        return _PHONE_ADVICE
    if error["type"] == "union_tag_invalid":
        return f"has a type that is not known: give one of {error['ctx']['expected_tags']}"
    if advice := _ADVICE.get(error["type"]):
        return advice
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"is wrong: {message[:1].lower()}{message[1:]}"
