"""Interactive messages as the platform checks them.

Source: Meta, OpenAPI description of the Business Messaging API v23, InteractiveObject and what it refers to;
Cloud API reference for links and requests for a location (read 2026-11).
"""

from collections.abc import Callable, Iterable
from typing import Final

from garbo.simulator.graph.carousel import check_cards
from garbo.simulator.graph.fields import (
    MOST_ID,
    Json,
    Refused,
    objects_of,
    part_of,
    refuse_unknown,
    text_of,
    url_of,
)

_ACTION: Final = "interactive['action']"
_NO_BODY: Final = frozenset({"product", "call_permission_request"})


def check_interactive(block: Json) -> None:
    """Check an interactive message by its type."""
    kind = text_of(block, "type", "interactive", most=64)
    if kind not in _ACTIONS:
        raise Refused(131009, "interactive['type'] is not one of the supported types.")
    refuse_unknown(block, {"type", "header", "body", "footer", "action"}, "interactive")
    if kind not in _NO_BODY or "body" in block:
        text_of(part_of(block, "body", "interactive"), "text", "interactive['body']", most=1024)
    if "footer" in block:
        text_of(part_of(block, "footer", "interactive"), "text", "interactive['footer']", most=60)
    _check_header(kind, block)
    _ACTIONS[kind](part_of(block, "action", "interactive"))


def _check_header(kind: str, block: Json) -> None:
    if kind == "carousel" and ("header" in block or "footer" in block):
        raise Refused(131009, "A carousel has neither header nor footer.")
    if "header" not in block:
        if kind == "product_list":
            raise Refused(131008, "The parameter interactive['header'] is required.")
        return
    if kind == "product":
        raise Refused(131009, "A product message has no header.")
    header = part_of(block, "header", "interactive")
    where, of = "interactive['header']", text_of(header, "type", "interactive['header']", most=20)
    if of not in ("text", "image", "video", "document") or (kind.endswith("list") and of != "text"):
        raise Refused(131009, f"{where}: this type is not supported here.")
    if "sub_text" in header:
        text_of(header, "sub_text", where, most=60)
    if of == "text":
        text_of(header, "text", where, most=60)
        return
    file = part_of(header, of, where)
    if ("id" in file) == ("link" in file):
        raise Refused(131009, f"{where}: {of} needs exactly one of id and link.")
    if "link" in file:
        url_of(file, "link", where)


def _check_buttons(action: Json) -> None:
    replies: list[Json] = []
    for button in objects_of(action, "buttons", _ACTION, least=1, most=3):
        if button.get("type") != "reply":
            raise Refused(131009, "Button type must be reply.")
        reply = part_of(button, "reply", "button")
        if text_of(reply, "id", "reply", most=256).strip() != reply["id"]:
            raise Refused(131009, "Button id must not begin or end with a space.")
        text_of(reply, "title", "reply", most=20)
        replies.append(reply)
    for name in ("id", "title"):
        _refuse_twins((reply[name] for reply in replies), f"Button {name}s")


def _check_list(action: Json) -> None:
    text_of(action, "button", _ACTION, most=20)
    ids: list[str] = []
    for section in _sections(action):
        for row in objects_of(section, "rows", "section", least=1, most=10):
            ids.append(text_of(row, "id", "row", most=200))
            text_of(row, "title", "row", most=24)
            if "description" in row:
                text_of(row, "description", "row", most=72)
    if len(ids) > 10:  # noqa: PLR2004 - as the document says
        raise Refused(131009, "A list has at most 10 rows in all.")
    _refuse_twins(ids, "Row ids")


def _check_products(action: Json) -> None:
    text_of(action, "catalog_id", _ACTION, most=MOST_ID)
    products = [
        text_of(item, "product_retailer_id", "product_items", most=MOST_ID)
        for section in _sections(action)
        for item in objects_of(section, "product_items", "section", least=1, most=30)
    ]
    if len(products) > 30:  # noqa: PLR2004 - as the document says
        raise Refused(131009, "A message has at most 30 products in all.")


def _sections(action: Json) -> Iterable[Json]:
    sections = objects_of(action, "sections", _ACTION, least=1, most=10)
    for section in sections:
        if "title" in section or len(sections) > 1:
            text_of(section, "title", "section", most=24)
    return sections


def _check_product(action: Json) -> None:
    for name in ("catalog_id", "product_retailer_id"):
        text_of(action, name, _ACTION, most=MOST_ID)


def _check_catalog(action: Json) -> None:
    _refuse_other_name(action, "catalog_message")
    parameters = part_of(action, "parameters", _ACTION) if "parameters" in action else {}
    if "thumbnail_product_retailer_id" in parameters:
        text_of(parameters, "thumbnail_product_retailer_id", "parameters", most=MOST_ID)


def _check_flow(action: Json) -> None:
    _refuse_other_name(action, "flow")
    parameters = part_of(action, "parameters", _ACTION)
    if parameters.get("flow_message_version") != "3":
        raise Refused(131009, "flow_message_version must be 3.")
    text_of(parameters, "flow_cta", "parameters", most=30)
    if ("flow_id" in parameters) == ("flow_name" in parameters):
        raise Refused(131009, "Exactly one of flow_id and flow_name is required.")
    text_of(parameters, "flow_id" if "flow_id" in parameters else "flow_name", "parameters", most=MOST_ID)
    for name, words in (("mode", ("draft", "published")), ("flow_action", ("navigate", "data_exchange"))):
        if parameters.get(name, words[0]) not in words:
            raise Refused(131009, f"{name} is not one of {', '.join(words)}.")


def _check_link(action: Json) -> None:
    _refuse_other_name(action, "cta_url")
    parameters = part_of(action, "parameters", _ACTION)
    text_of(parameters, "display_text", "parameters", most=20)
    url_of(parameters, "url", "parameters")


def _named(name: str) -> Callable[[Json], None]:
    return lambda action: _refuse_other_name(action, name)


def _refuse_other_name(action: Json, name: str) -> None:
    if text_of(action, "name", _ACTION, most=64) != name:
        raise Refused(131009, f"{_ACTION}['name'] must be {name}.")


def _refuse_twins(values: Iterable[str], what: str) -> None:
    listed = list(values)
    if len(set(listed)) < len(listed):
        raise Refused(131009, f"{what} must be unique.")


_ACTIONS: Final[dict[str, Callable[[Json], None]]] = {
    "button": _check_buttons,
    "list": _check_list,
    "product": _check_product,
    "product_list": _check_products,
    "catalog_message": _check_catalog,
    "flow": _check_flow,
    "cta_url": _check_link,
    "location_request_message": _named("send_location"),
    "call_permission_request": _named("call_permission_request"),
    "request_contact_info": _named("request_contact_info"),
    "carousel": check_cards,
}
