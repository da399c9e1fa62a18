"""The values of a template's parameters as the platform checks them.

Source: Meta, Cloud API "Error codes": 131008, 132012, 132018 (read 2026-09).
"""

import re
from collections.abc import Callable
from typing import Final

from garbo.simulator.graph.carousel import check_file
from garbo.simulator.graph.contents import check_location
from garbo.simulator.graph.fields import MOST_ID, Json, Refused, is_blank, objects_of, text_of

_BROKEN: Final = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]|[^\S\n\t]{5}")


def check_value(parameter: object) -> str:
    """Check one value and give the text it puts into the message."""
    kind = str(parameter.get("type")).lower() if isinstance(parameter, dict) else ""
    if not isinstance(parameter, dict) or not isinstance(parameter.get("type"), str) or not kind:
        raise Refused(132012, "A parameter needs a type.")
    if kind in _TEXTS:
        return _check_text(kind, parameter.get(kind))
    if kind not in _OBJECTS:
        return ""
    value = parameter.get(kind)
    if value is None:
        raise Refused(131008, f"Parameter of type {kind} is missing its {kind} value.")
    if not isinstance(value, dict):
        raise Refused(132012, f"Parameter of type {kind} must hold an object.")
    return _OBJECTS[kind](value) or ""


def check_products(action: Json) -> None:
    """Check what a button shows of a catalog."""
    text_of(action, "thumbnail_product_retailer_id", "action", most=MOST_ID)
    sections = objects_of(action, "sections", "action", least=1, most=10)
    products: list[str] = []
    for section in sections:
        if "title" in section or len(sections) > 1:
            text_of(section, "title", "section", most=24)
        items = objects_of(section, "product_items", "section", least=1, most=30)
        products += [text_of(item, "product_retailer_id", "product_items", most=MOST_ID) for item in items]
    if len(products) > 30:  # noqa: PLR2004 - as the document says
        raise Refused(131009, "A message has at most 30 products in all.")


def _check_text(kind: str, value: object) -> str:
    if value is None or (isinstance(value, str) and is_blank(value)):
        raise Refused(131008, f"Parameter of type {kind} is missing {kind} value.")
    if not isinstance(value, str):
        raise Refused(132012, f"Parameter of type {kind} must hold a string.")
    if len(value) > _TEXTS[kind]:
        raise Refused(132005 if kind == "text" else 132012, f"{kind} is too long.")
    if kind != "payload" and _BROKEN.search(value):
        why = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces."
        raise Refused(132018, why)
    return value if kind == "text" else ""


def _check_amount(value: Json) -> str:
    if not (isinstance(value.get("code"), str) and re.fullmatch("[A-Za-z]{3}", value["code"])):
        raise Refused(132012, "currency needs a code of three letters.")
    if not isinstance(value.get("amount_1000"), int):
        raise Refused(132012, "currency needs amount_1000.")
    return _check_instant(value)


def _check_instant(value: Json) -> str:
    return _check_text("text", value.get("fallback_value"))


def _check_file_of(*beside: str) -> Callable[[Json], None]:
    def check(value: Json) -> None:
        check_file(value, "file", 132012)
        for name in ("caption", "filename"):
            if name in value and name not in beside:
                raise Refused(132012, f"{name} is not supported in a template.")
            if name in value:
                text_of(value, name, "file", most=240)

    return check


def _check_product(value: Json) -> None:
    for name in ("product_retailer_id", "catalog_id"):
        text_of(value, name, "product", most=MOST_ID)


def _check_action(value: Json) -> None:
    if not isinstance(value.get("flow_token", ""), str):
        raise Refused(132012, "flow_token must be a string.")
    if "thumbnail_product_retailer_id" in value:
        text_of(value, "thumbnail_product_retailer_id", "action", most=MOST_ID)
    if not isinstance(value.get("flow_action_data", {}), dict):
        raise Refused(132012, "flow_action_data must be an object.")


def _check_end(value: Json) -> None:
    end = value.get("expiration_time_ms")
    if type(end) is not int or end <= 0:
        raise Refused(132012, "expiration_time_ms must be a timestamp in milliseconds.")


_TEXTS: Final = {"text": 1024, "payload": 256, "coupon_code": 20}
_OBJECTS: Final[dict[str, Callable[[Json], str | None]]] = {
    "currency": _check_amount,
    "date_time": _check_instant,
    "image": _check_file_of(),
    "video": _check_file_of(),
    "document": _check_file_of("filename"),
    "location": check_location,
    "product": _check_product,
    "action": _check_action,
    "limited_time_offer": _check_end,
}
