"""Contact cards as the platform checks them.

Source: Meta, OpenAPI description of the Business Messaging API v23, ContactObject and what it refers to;
Cloud API reference "Contacts messages" for what a name needs (read 2026-11).
"""

import re
from datetime import date
from typing import Final

from garbo.simulator.graph.fields import Json, Refused, objects_of, part_of, refuse_unknown, text_of, url_of

MOST_CARDS: Final = 5
_PIECES: Final = ("first_name", "last_name", "middle_name", "prefix", "suffix")
_FIELDS: Final = {
    "name": ("formatted_name", *_PIECES),
    "org": ("company", "department", "title"),
    "phones": ("phone", "type", "wa_id"),
    "emails": ("email", "type"),
    "urls": ("url", "type"),
    "addresses": ("street", "city", "state", "zip", "country", "country_code", "type"),
}
"""All of them texts."""
_NEEDED: Final = {"phones": "phone", "emails": "email", "urls": "url"}
_FORMS: Final = {"wa_id": re.compile("[0-9]{5,20}"), "country_code": re.compile("[A-Za-z]{2}")}


def check_cards(cards: object) -> None:
    """Check the cards of one message."""
    if not isinstance(cards, list) or not 1 <= len(cards) <= MOST_CARDS:
        raise Refused(131009, f"contacts must be an array of 1 to {MOST_CARDS} contacts.")
    for number, card in enumerate(cards):
        if not isinstance(card, dict):
            raise Refused(131009, f"contacts[{number}] must be an object.")
        _check_card(card, f"contacts[{number}]")


def _check_card(card: Json, where: str) -> None:
    refuse_unknown(card, {*_FIELDS, "birthday"}, where)
    name = part_of(card, "name", where)
    text_of(name, "formatted_name", f"{where}.name", most=1024)
    _check_texts(name, "name", where)
    if not any(name.get(piece) for piece in _PIECES):
        raise Refused(131008, f"{where}.name needs one of {', '.join(_PIECES)}.")
    if "org" in card:
        _check_texts(part_of(card, "org", where), "org", where)
    if "birthday" in card:
        _check_birthday(card["birthday"], where)
    for listed in ("phones", "emails", "urls", "addresses"):
        for item in objects_of(card, listed, where):
            _check_item(item, listed, f"{where}.{listed}")


def _check_item(item: Json, listed: str, where: str) -> None:
    _check_texts(item, listed, where)
    if item.get("type", "HOME") not in ("HOME", "WORK"):
        raise Refused(131009, f"{where}: type must be HOME or WORK.")
    for name, form in _FORMS.items():
        if name in item and not form.fullmatch(item[name]):
            raise Refused(131009, f"{where}: {name} is not valid.")
    if listed == "urls":
        url_of(item, "url", where)
    elif listed in _NEEDED:
        text_of(item, _NEEDED[listed], where, most=1024)
    if listed == "emails" and "@" not in item["email"]:
        raise Refused(131009, f"{where}: email must be an e-mail address.")


def _check_texts(part: Json, name: str, where: str) -> None:
    refuse_unknown(part, _FIELDS[name], where)
    for field in part:
        text_of(part, field, where, most=1024)


def _check_birthday(birthday: object, where: str) -> None:
    try:
        date.fromisoformat(str(birthday))
    except ValueError:
        raise Refused(131009, f"{where}: birthday must be YYYY-MM-DD.") from None
