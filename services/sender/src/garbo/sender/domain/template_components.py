"""A template as the platform lists it, read into what a message must give it.

Source: Meta, "Message templates" edge and "Template components" (read 2026-11). An authentication template's
button is made as OTP and listed as a URL that ends in the code; both are met.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from garbo.common.events.template_observed import TemplateObserved
from garbo.common.events.template_registry import normal_language
from garbo.common.events.template_takes import ButtonTakes, CardTakes, Takes

FIELDS: Final = "name,language,status,category,quality_score,parameter_format,components"
"""What is asked of each template."""
_VARIABLE: Final = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
_MUST_BE_GIVEN: Final = ("OTP", "COPY_CODE", "MPM")
"""Buttons that are nothing without a value."""


def read_template(item: object, *, waba: str, at: datetime) -> TemplateObserved | None:
    """Read one entry of an account's list; None where it has no name and language."""
    if not isinstance(item, dict):
        return None
    name, language = item.get("name"), item.get("language")
    if not isinstance(name, str) or not isinstance(language, str) or not name:
        return None
    quality = item.get("quality_score")
    return TemplateObserved(
        waba=waba,
        name=name,
        language=normal_language(language),
        category=_word(item.get("category")),
        status=_word(item.get("status")),
        quality=_word(quality.get("score")) if isinstance(quality, dict) else None,
        takes=takes_of(item.get("components"), declared=_word(item.get("parameter_format"))),
        observed_at=at,
    )


def takes_of(components: object, *, declared: str | None) -> Takes | None:
    """Say what a template takes; None where its components are not shown."""
    if not isinstance(components, list):
        return None
    parts = _dicts(components)
    plain = _card(parts)
    names = (*plain.header_values, *plain.body_values)
    cards = [_card(_dicts(one.get("components"))) for one in _cards(parts)]
    return Takes(
        named=declared == "NAMED" or (declared is None and any(not name.isdecimal() for name in names)),
        header=plain.header,
        header_values=plain.header_values,
        body_values=plain.body_values,
        buttons=plain.buttons,
        cards=tuple(cards),
        offer_ends=any(_ends(one) for one in _of(parts, "LIMITED_TIME_OFFER")),
    )


def _card(parts: Sequence[Mapping[str, Any]]) -> CardTakes:
    header = next(_of(parts, "HEADER"), None)
    kind = (_word(header.get("format")) or "TEXT") if header else None
    return CardTakes(
        header=kind,
        header_values=_variables(header.get("text")) if header and kind == "TEXT" else (),
        body_values=_variables(next((one.get("text") for one in _of(parts, "BODY")), None)),
        buttons=tuple(_buttons(parts)),
    )


def _buttons(parts: Sequence[Mapping[str, Any]]) -> Iterator[ButtonTakes]:
    for part in _of(parts, "BUTTONS"):
        for button in _dicts(part.get("buttons")):
            kind = _word(button.get("type")) or "UNKNOWN"
            ends_in_value = kind == "URL" and bool(_variables(button.get("url")))
            yield ButtonTakes(kind=kind, needs_value=ends_in_value or kind in _MUST_BE_GIVEN)


def _cards(parts: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for part in _of(parts, "CAROUSEL"):
        yield from _dicts(part.get("cards"))


def _ends(offer: Mapping[str, Any]) -> bool:
    inside = offer.get("limited_time_offer")
    return isinstance(inside, dict) and inside.get("has_expiration") is True


def _variables(text: object) -> tuple[str, ...]:
    """Name the variables of a text, each once, in its order."""
    return tuple(dict.fromkeys(_VARIABLE.findall(text))) if isinstance(text, str) else ()


def _of(parts: Sequence[Mapping[str, Any]], kind: str) -> Iterator[Mapping[str, Any]]:
    return (one for one in parts if _word(one.get("type")) == kind)


def _word(value: object) -> str | None:
    return value.upper() if isinstance(value, str) and value else None


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
