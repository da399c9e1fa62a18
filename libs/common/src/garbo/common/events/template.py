"""Templates and their parameters: what is known to be refused before the template's own text is known.

Source: Meta, Cloud API reference "Messages" and error codes 131008, 132005, 132012, 132018 (read 2026-11).
How many parameters a template takes, only the business file or the platform knows.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from garbo.common.events.base import NULL_IS_ABSENT, Json, Part, bounded
from garbo.common.events.media import Bare, Media
from garbo.common.events.shown_text import ON_ONE_LINE, SHOWN
from garbo.common.events.vendor_object import HeldTo, refuse

MAX_BODY_CHARS: Final = 1024
"""Of a template's body with its parameters in place."""
MAX_HEADER_CHARS: Final = 60

Value = Annotated[str, Field(min_length=1, max_length=MAX_BODY_CHARS), SHOWN, ON_ONE_LINE]
"""A text that takes a parameter's place."""
_Word = Annotated[str, BeforeValidator(lambda word: word.lower() if isinstance(word, str) else word)]
_Index = Annotated[str, Field(pattern=r"^[0-9]$"), BeforeValidator(lambda i: str(i) if type(i) is int else i)]
_VALUES: Final = ("text", "currency", "date_time", "payload", "image", "video", "document")
"""Kinds of parameters that are looked into; others go on as they are."""


class Language(Part):
    """A template's language."""

    code: Annotated[str, Field(pattern=r"^[a-z]{2,3}([_-][A-Za-z0-9]{2,8})?$")]


class Currency(Part):
    """An amount, and how it is written where the platform does not."""

    fallback_value: Value
    code: Annotated[str, Field(pattern=r"^[A-Za-z]{3}$")]
    amount_1000: int


class DateTime(Part):
    """An instant, as it is written."""

    fallback_value: Value


class TemplateParameter(Part):
    """One value of a component; its kind's own field must be there."""

    type: _Word
    parameter_name: Annotated[str, Field(min_length=1)] | None = None
    text: Value | None = None
    payload: Annotated[str, Field(min_length=1, max_length=256), SHOWN] | None = None
    currency: Currency | None = None
    date_time: DateTime | None = None
    image: Bare | None = None
    video: Bare | None = None
    document: Media | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type in _VALUES and getattr(self, self.type) is None:
            raise refuse((self.type,), "is missing: give it, as the parameter's type says")
        if self.document and self.document.caption is not None:
            raise refuse(("document", "caption"), "is not shown in a template: leave it out")
        return self

    @property
    def shown(self) -> str:
        """Its text, where it is known here."""
        spoken = self.currency or self.date_time
        return self.text or (spoken.fallback_value if spoken else "")


class TemplateComponent(Part):
    """The values of one part of a template."""

    type: _Word
    sub_type: Annotated[_Word, Field(min_length=1)] | None = None
    index: _Index | None = None
    parameters: Annotated[tuple[TemplateParameter, ...], NULL_IS_ABSENT] = ()

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.type == "button":
            for field in ("sub_type", "index"):
                if getattr(self, field) is None:
                    raise refuse((field,), "is missing: a button needs it")
            if not self.parameters:
                raise refuse(("parameters",), "must hold at least 1 elements")
        most = {"body": MAX_BODY_CHARS, "header": MAX_HEADER_CHARS}.get(self.type)
        if most:
            self._check_length(most)
        return self

    def _check_length(self, most: int) -> None:
        chars = 0
        for number, one in enumerate(self.parameters):
            chars += len(one.shown)
            if chars > most:
                why = f"must leave the {self.type} at most {most} characters: shorten it"
                raise refuse(("parameters", number, one.type), why)


class Template(Part):
    """An approved template and its parameters, in the platform's own words."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$")]
    language: Language
    components: Annotated[
        tuple[Annotated[Json, HeldTo(TemplateComponent)], ...], BeforeValidator(bounded), NULL_IS_ABSENT
    ] = ()

    @property
    def body_values(self) -> int:
        """How many values its body is given."""
        bodies = [one for one in self.components if str(one.get("type")).lower() == "body"]
        return sum(len(one.get("parameters", ())) for one in bodies)

    def missed_count(self, known: Mapping[tuple[str, str], int]) -> int | None:
        """Say how many values its body takes where that is known and others are given; None otherwise.

        `known` is by name and language, written `en_US`.
        """
        wanted = known.get((self.name, self.language.code.replace("-", "_")))
        return None if wanted == self.body_values else wanted
