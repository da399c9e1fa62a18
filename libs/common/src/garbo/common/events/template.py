"""Templates and their parameters: what is known to be refused before the template's own text is known.

How many parameters a template takes, only the business file or the platform knows.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from garbo.common.events.base import NULL_IS_ABSENT, Json, Part, bounded
from garbo.common.events.template_components import Component
from garbo.common.events.vendor_object import HeldTo, refuse

_Place = tuple[str | int, ...]
_WORDS: Final = ("text", "currency", "date_time")
"""Values that take a place in the text, by its name or by its number."""
_SELLING: Final = ("catalog", "mpm")
"""Buttons that open what is for sale."""


class Language(Part):
    """A template's language."""

    code: Annotated[str, Field(pattern=r"^[a-z]{2,3}([_-][A-Za-z0-9]{2,8})?$")]


class Template(Part):
    """An approved template and its parameters, in the platform's own words."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$")]
    language: Language
    components: Annotated[
        tuple[Annotated[Json, HeldTo(Component)], ...], BeforeValidator(bounded), NULL_IS_ABSENT
    ] = ()

    @model_validator(mode="after")
    def _named_alike(self) -> Self:
        first: bool | None = None
        for where, component in self._parts():
            names: set[str] = set()
            for place, name in _names_in(component):
                fault = (*where, "parameters", place, "parameter_name")
                first = (name is not None) if first is None else first
                if first is not (name is not None):
                    why = "must be given for each parameter or for none: they go by name or by place"
                    raise refuse(fault, why)
                if name in names:
                    raise refuse(fault, "stands twice: give each parameter once")
                names |= {name} - {None}  # type: ignore[arg-type] # None is taken out
        return self

    @property
    def body_values(self) -> int:
        """How many values its body is given."""
        bodies = [one for one in self.components if _is(one, "body")]
        return sum(len(one.get("parameters", ())) for one in bodies)

    @property
    def for_sale(self) -> _Place | None:
        """Find the first button that opens something for sale, or product that is shown; None without."""
        for where, component in self._parts():
            if str(component.get("sub_type")).lower() in _SELLING:
                return (*where, "sub_type")
            for place, value in enumerate(component.get("parameters", ())):
                if _is(value, "product"):
                    return (*where, "parameters", place)
        return None

    def missed_count(self, known: Mapping[tuple[str, str], int]) -> int | None:
        """Say how many values its body takes where that is known and others are given; None otherwise.

        `known` is by name and language, written `en_US`.
        """
        wanted = known.get((self.name, self.language.code.replace("-", "_")))
        return None if wanted == self.body_values else wanted

    def _parts(self) -> Iterator[tuple[_Place, Json]]:
        """Give every component with its place, those of cards, too."""
        for number, component in enumerate(self.components):
            yield ("components", number), component
            if _is(component, "carousel"):
                for card, held in enumerate(component["cards"]):
                    for inner, one in enumerate(held["components"]):
                        yield ("components", number, "cards", card, "components", inner), one


def _is(one: Json, kind: str) -> bool:
    return str(one.get("type")).lower() == kind


def _names_in(component: Json) -> Iterator[tuple[int, str | None]]:
    if _is(component, "header") or _is(component, "body"):
        for place, value in enumerate(component.get("parameters", ())):
            if str(value["type"]).lower() in _WORDS:
                yield place, value.get("parameter_name")
