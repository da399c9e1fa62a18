"""Interactive carousels as the platform checks them.

Source: Meta, Cloud API reference "Interactive media carousel messages" and "Product carousel messages"
(read 2026-11).
"""

from typing import Final

from garbo.simulator.graph.fields import MOST_ID, Json, Refused, objects_of, part_of, text_of, url_of

_MOST: Final = 10
_HEADERS: Final = ("image", "video")
_WHERE: Final = "interactive['action']['cards']"


def check_cards(action: Json) -> None:
    """Check the cards of a carousel: each by itself, their places, and that they offer the same."""
    cards = objects_of(action, "cards", "interactive['action']", least=2, most=_MOST)
    refuse_same_index(cards, _WHERE)
    if len({_offered(card) for card in cards}) > 1:
        raise Refused(131009, f"{_WHERE}: all cards must have the same buttons.")


def refuse_same_index(cards: object, where: str) -> None:
    """Refuse cards that are not numbered 0 to 9, each by a number of its own."""
    listed = [card.get("card_index") for card in cards] if isinstance(cards, list) else []
    for index in listed:
        if type(index) is not int or not 0 <= index < _MOST:
            raise Refused(131009, f"{where}: card_index must be 0 to {_MOST - 1}.")
    if len(set(listed)) < len(listed):
        raise Refused(131009, f"{where}: card_index must be unique.")


def _offered(card: Json) -> tuple[str, int]:
    if card.get("type", "cta_url") not in ("cta_url", "product"):
        raise Refused(131009, f"{_WHERE}: type must be cta_url or product.")
    if "body" in card:
        text = text_of(part_of(card, "body", _WHERE), "text", "body", most=160)
        if len(text.split("\n")) > 3:  # noqa: PLR2004 - two line breaks
            raise Refused(131009, f"{_WHERE}: body must have at most 2 line breaks.")
    action = part_of(card, "action", _WHERE)
    shown = [name for name in ("parameters", "buttons", "product_retailer_id") if name in action]
    if len(shown) != 1:
        raise Refused(131009, f"{_WHERE}: action must have a link, buttons or a product.")
    _check_header(card, is_product=shown == ["product_retailer_id"])
    if "name" in action and action["name"] != "cta_url":
        raise Refused(131009, f"{_WHERE}: action name must be cta_url.")
    return _ACTIONS[shown[0]](action)


def _check_header(card: Json, *, is_product: bool) -> None:
    if is_product:
        if "header" in card:
            raise Refused(131009, f"{_WHERE}: a product card has no header.")
        return
    header = part_of(card, "header", _WHERE)
    kind = text_of(header, "type", "header", most=20)
    if kind not in _HEADERS:
        raise Refused(131009, f"{_WHERE}: header must be an image or a video.")
    check_file(part_of(header, kind, "header"), f"{_WHERE}: {kind}")


def check_file(file: Json, where: str, code: int = 131009) -> None:
    """Check a file of a header: by exactly one of its id and a link, with nothing to read beside it."""
    if ("id" in file) == ("link" in file):
        raise Refused(code, f"{where} needs exactly one of id and link.")
    if "link" in file:
        url_of(file, "link", where)
    else:
        text_of(file, "id", where, most=512)


def _check_link(action: Json) -> tuple[str, int]:
    if "name" not in action:
        raise Refused(131008, f"{_WHERE}: a link needs the name cta_url.")
    parameters = part_of(action, "parameters", _WHERE)
    text_of(parameters, "display_text", "parameters", most=20)
    url_of(parameters, "url", "parameters")
    return "link", 1


def _check_buttons(action: Json) -> tuple[str, int]:
    buttons = objects_of(action, "buttons", _WHERE, least=1)
    replies = []
    for button in buttons:
        if button.get("type") != "quick_reply":
            raise Refused(131009, f"{_WHERE}: button type must be quick_reply.")
        reply = part_of(button, "quick_reply", "button")
        if text_of(reply, "id", "quick_reply", most=256).strip() != reply["id"]:
            raise Refused(131009, "Button id must not begin or end with a space.")
        text_of(reply, "title", "quick_reply", most=20)
        replies.append(reply)
    for name in ("id", "title"):
        if len({reply[name] for reply in replies}) < len(replies):
            raise Refused(131009, f"{_WHERE}: button {name}s must be unique on a card.")
    return "buttons", len(buttons)


def _check_product(action: Json) -> tuple[str, int]:
    for name in ("catalog_id", "product_retailer_id"):
        text_of(action, name, _WHERE, most=MOST_ID)
    return "product", 1


_ACTIONS: Final = {
    "parameters": _check_link,
    "buttons": _check_buttons,
    "product_retailer_id": _check_product,
}
