"""What a template takes: which values each of its parts must be given, and what is wrong with those given.

Source: Meta, "Send message templates", "Carousel templates", "Authentication templates" and error codes
132000 and 132012 (read 2026-11). What is not known for sure is not refused: the platform has the last word.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple

from garbo.common.events.base import NULL_IS_ABSENT, Json, Part

_FILES: Final = ("IMAGE", "VIDEO", "DOCUMENT", "LOCATION")
"""Kinds of headers that are given anew with each message."""
_SUB_TYPES: Final[Mapping[str, str]] = {
    "URL": "url",
    "OTP": "url",
    "QUICK_REPLY": "quick_reply",
    "COPY_CODE": "copy_code",
    "FLOW": "flow",
    "CATALOG": "catalog",
    "MPM": "mpm",
}
"""How a message calls a button that the template calls so. Others are not looked into."""
_BARE: Final = ("URL", "PHONE_NUMBER")
"""Buttons that take nothing, unless the template says so."""


class ButtonTakes(Part):
    """One button, in the template's order."""

    kind: str
    """The platform's word, such as URL or QUICK_REPLY."""
    needs_value: Annotated[bool, NULL_IS_ABSENT] = False
    """It must be given one: the end of a link, a code, a list of products."""


class CardTakes(Part):
    """What one card of a carousel takes."""

    header: str | None = None
    """The platform's word: TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION ...; None: there is no header."""
    header_values: Annotated[tuple[str, ...], NULL_IS_ABSENT] = ()
    """The names of its values; where they go by their place, these are "1", "2" ..."""
    body_values: Annotated[tuple[str, ...], NULL_IS_ABSENT] = ()
    buttons: Annotated[tuple[ButtonTakes, ...], NULL_IS_ABSENT] = ()


class Takes(CardTakes):
    """What a template takes."""

    named: Annotated[bool, NULL_IS_ABSENT] = False
    """Its values go by name (`parameter_name`), not by their place."""
    cards: Annotated[tuple[CardTakes, ...], NULL_IS_ABSENT] = ()
    """Of a carousel."""
    offer_ends: Annotated[bool, NULL_IS_ABSENT] = False
    """A limited-time offer whose end must be given."""


class TemplateFault(NamedTuple):
    """What is wrong with a template's values: where, what to do, and the reason a decision gives."""

    place: tuple[str | int, ...]
    """Below the template, such as `components, 0, parameters`."""
    advice: str
    reason: str


_COUNT: Final = "parameter_count"
_VALUES: Final = "template_parameters"


def faults_of(components: Sequence[Json], takes: Takes) -> list[TemplateFault]:
    """Compare what a message gives with what the template takes."""
    given = _Given(components, ("components",))
    faults = list(_part_faults(given, takes, named=takes.named))
    faults += _card_faults(given, takes)
    if takes.offer_ends and not given.of("limited_time_offer"):
        faults.append(given.misses("limited_time_offer", "the offer's end (expiration_time_ms)"))
    return faults


class _Given:
    """The components a message gives, found by what they are for."""

    def __init__(self, components: Sequence[Json], place: tuple[str | int, ...]) -> None:
        self.place = place
        self._components = list(enumerate(components))

    def of(self, kind: str) -> list[tuple[int, Json]]:
        return [(number, one) for number, one in self._components if _word(one, "type") == kind]

    def values(self, kind: str) -> tuple[tuple[str | int, ...], list[Json]]:
        """Give a part's values, and where they stand."""
        found = self.of(kind)
        if not found:
            return self.place, []
        place = (*self.place, found[0][0], "parameters")
        return place, [value for _, one in found for value in _dicts(one.get("parameters"))]

    def buttons(self) -> dict[int, tuple[int, Json]]:
        """Give the buttons by their place in the template."""
        found: dict[int, tuple[int, Json]] = {}
        for number, one in self.of("button"):
            if str(one.get("index")).isdecimal():
                found[int(str(one["index"]))] = (number, one)
        return found

    def misses(self, kind: str, what: str) -> TemplateFault:
        return TemplateFault(self.place, f"must hold a component of type {kind} with {what}", _VALUES)


def _part_faults(given: _Given, takes: CardTakes, *, named: bool) -> Iterator[TemplateFault]:
    yield from _header_faults(given, takes, named=named)
    place, body = given.values("body")
    yield from _text_faults(place, body, "body", takes.body_values, named=named)
    yield from _button_faults(given, takes.buttons)


def _header_faults(given: _Given, takes: CardTakes, *, named: bool) -> Iterator[TemplateFault]:
    place, values = given.values("header")
    if takes.header in (None, "TEXT"):
        yield from _text_faults(place, values, "header", takes.header_values, named=named)
    elif takes.header in _FILES:
        kind = takes.header.lower()
        if not values:
            yield given.misses("header", f"one parameter of type {kind}")
        elif len(values) > 1 or _word(values[0], "type") != kind:
            yield TemplateFault(place, f"must give the header one parameter of type {kind}", _VALUES)


def _text_faults(
    place: tuple[str | int, ...], values: Sequence[Json], part: str, wanted: Sequence[str], *, named: bool
) -> Iterator[TemplateFault]:
    """Compare the values of a text: their count, and their names where they go by name."""
    if len(values) != len(wanted):
        names = f" ({', '.join(wanted)})" if named and wanted else ""
        advice = (
            f"must give the {part} {len(wanted)} parameters{names}, not {len(values)}: "
            "the template takes so many"
        )
        yield TemplateFault(place, advice, _COUNT)
        return
    names_given = [value.get("parameter_name") for value in values]
    if named and set(names_given) != set(wanted):
        yield TemplateFault(place, f"must name each parameter (parameter_name): {', '.join(wanted)}", _VALUES)
    elif not named and any(name is not None for name in names_given):
        yield TemplateFault(place, "must not name its parameters: the template takes them in order", _VALUES)


def _button_faults(given: _Given, buttons: Sequence[ButtonTakes]) -> Iterator[TemplateFault]:
    there = given.buttons()
    for index, button in enumerate(buttons):
        if button.needs_value and index not in there:
            kind = _SUB_TYPES.get(button.kind, button.kind.lower())
            what = f"sub_type {kind}, index {index} and its parameter"
            yield given.misses("button", what)
    for index, (number, one) in there.items():
        place = (*given.place, number)
        if index >= len(buttons):
            most = f"0 to {len(buttons) - 1}" if buttons else "none"
            yield TemplateFault((*place, "index"), f"must be of a button the template has: {most}", _VALUES)
            continue
        button = buttons[index]
        wanted = _SUB_TYPES.get(button.kind)
        if button.kind in _BARE and not button.needs_value:
            yield TemplateFault(place, f"must be left out: button {index} takes no parameter", _VALUES)
        elif wanted and _word(one, "sub_type") != wanted:
            yield TemplateFault((*place, "sub_type"), f"must be {wanted}: so button {index} is", _VALUES)


def _card_faults(given: _Given, takes: Takes) -> Iterator[TemplateFault]:
    found = given.of("carousel")
    if not takes.cards:
        return
    cards = _dicts(found[0][1].get("cards")) if found else []
    if len(cards) != len(takes.cards):
        place = (*given.place, found[0][0], "cards") if found else given.place
        advice = f"must hold {len(takes.cards)} cards in a component of type carousel, not {len(cards)}"
        yield TemplateFault(place, advice, _VALUES)
        return
    for number, card in enumerate(cards):
        place = (*given.place, found[0][0], "cards", number, "components")
        inner = _Given(_dicts(card.get("components")), place)
        yield from _part_faults(inner, takes.cards[number], named=takes.named)


def _word(value: Json, field: str) -> str:
    return str(value.get(field)).lower()


def _dicts(value: Any) -> list[Json]:  # noqa: ANN401 - a vendor's JSON, of any shape
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list | tuple) else []
