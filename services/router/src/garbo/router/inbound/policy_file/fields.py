"""What the values of a policy file are made of: how each is written, and what is told where it is not."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, ValidationError
from pydantic import GetJsonSchemaHandler as JsonHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from garbo.common.events.zones import zone_names
from garbo.router.domain.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from garbo.router.domain.zones import RECIPIENT_ZONE

Json: TypeAlias = dict[str, Any]
T = TypeVar("T")

SPAN: Final = "^[0-9]{1,6}(s|m|h|d|w)$"
_UNITS_US: Final = {"s": SECOND_US, "m": MINUTE_US, "h": HOUR_US, "d": DAY_US, "w": 7 * DAY_US}
_SPAN_MEND: Final = "must be a whole number and s, m, h, d or w, such as 24h"
_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


class Model(BaseModel):
    """A mapping of the file: these fields and no others. The texts below the fields are what editors show."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        use_attribute_docstrings=True,
        model_title_generator=lambda model: model.__name__.removesuffix("Model"),
    )


def wrong(mend: str) -> PydanticCustomError:
    """Refuse a value, and say how to write it."""
    return PydanticCustomError("mend", mend)


def wrong_at(*place: str, mend: str) -> ValidationError:
    """Refuse what stands at a place inside a value."""
    return ValidationError.from_exception_data("", [{"type": wrong(mend), "loc": place, "input": place}])


@dataclass(frozen=True, slots=True)
class Mend:
    """Tells whatever is wrong with a value in words of our own."""

    mend: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.custom_error_schema(handler(source), "mend", custom_error_message=self.mend)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`."""

    least: int
    most: int
    zero: str = ""
    """What zero means."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        number = core_schema.int_schema(ge=self.least, le=self.most, strict=True)
        mend = f"must be a whole number from {self.least}{self.zero} to {self.most}"
        return core_schema.custom_error_schema(number, "mend", custom_error_message=mend)


class _NotNull:
    """Takes null out of what a field may be: who means none leaves it out."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        nullable: Any = handler(source)
        schema: CoreSchema = nullable["schema"]
        return schema


Maybe: TypeAlias = Annotated[T | None, _NotNull()]
"""A field that may be left out, and is None then."""


class Span(str):
    """A whole number and s, m, h, d or w; it stays as it was written."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(pattern=SPAN, strict=True)
        told = core_schema.custom_error_schema(text, "mend", custom_error_message=_SPAN_MEND)
        return core_schema.no_info_after_validator_function(cls, told)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: JsonHandler) -> Json:
        return {**handler(schema), "description": "A whole number and s m h d w, such as 24h."}

    @property
    def us(self) -> int:
        """In microseconds."""
        return int(self[:-1]) * _UNITS_US[self[-1]]


@dataclass(frozen=True, slots=True)
class UpTo:
    """A span of `most` at most, and not of zero."""

    most: str
    zero: bool = False

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, span: Span) -> Span:
        if span.us == 0 and not self.zero:
            raise wrong(_SPAN_MEND)
        if span.us > Span(self.most).us:
            raise wrong(f"must be {self.most} at most")
        return span


@dataclass(frozen=True, slots=True)
class Words:
    """A word, or a list of different ones: of some, or any."""

    of: tuple[str, ...] = ()
    mend: str = ""
    """What to do where one is none of these."""
    check: Callable[[frozenset[str]], frozenset[str]] | None = None
    """Refuses in words of its own what is none of these."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: JsonHandler) -> Json:
        word: Json = {"enum": list(self.of)} if self.of else {"type": "string", "minLength": 1}
        return {"anyOf": [word, {"type": "array", "items": word, "minItems": 1, "uniqueItems": True}]}

    def _read(self, value: object) -> frozenset[str]:
        listed = value if isinstance(value, list) else [value]
        words = frozenset(word for word in listed if isinstance(word, str) and word)
        if not words or len(words) != len(listed):
            raise wrong("must be a word or a list of different words; quote what is not a word")
        if self.check:
            return self.check(words)
        for word in sorted(words):
            if self.of and word not in self.of:
                raise wrong(self.mend or f"{word} is none of {', '.join(sorted(self.of))}")
        return words


def is_name(text: str) -> bool:
    """Say whether a text is a name."""
    return re.match(_NAME, text) is not None


def is_line(text: str) -> bool:
    """Say whether a text is one line with something on it."""
    return bool(text.strip()) and text.isprintable()


def are_zones(names: frozenset[str]) -> frozenset[str]:
    """Refuse what is no IANA name."""
    if names - zone_names():
        raise wrong("is not a known time zone: write such as Europe/Rome")
    return names


def _line(text: str) -> str:
    if not is_line(text):
        raise wrong("")
    return text


def _zone(name: str) -> str:
    are_zones(frozenset({name}))
    return name


def _zone_or_recipient(name: str) -> str:
    if name != RECIPIENT_ZONE and name not in zone_names():
        raise wrong("is not a known time zone: write recipient, or such as Europe/Rome")
    return name


Name: TypeAlias = Annotated[
    str, Field(pattern=_NAME), Mend("must be a name of letters, digits, . _ and -, at most 64")
]
Text: TypeAlias = Annotated[
    str, Field(min_length=1), AfterValidator(_line), Mend("must be a text of one line")
]
Zone: TypeAlias = Annotated[Text, AfterValidator(_zone)]
"""An IANA name."""
RuleZone: TypeAlias = Annotated[Text, AfterValidator(_zone_or_recipient)]
"""An IANA name, or `recipient`."""
LongSpan: TypeAlias = Annotated[Span, UpTo("3660d")]
AnyWords: TypeAlias = Annotated[frozenset[str], Words()]
