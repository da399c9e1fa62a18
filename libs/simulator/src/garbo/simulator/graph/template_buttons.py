"""The buttons of a template as the platform checks them.

Source: Meta, Cloud API reference "Send message templates" and its pages on coupons, catalogs, multi-product
messages, flows and authentication (read 2026-11).
"""

import re
from typing import Final

from garbo.simulator.graph.fields import Json, Refused
from garbo.simulator.graph.template_values import check_products

_TAKES: Final = {
    "quick_reply": "payload",
    "url": "text",
    "otp": "text",
    "copy_code": "coupon_code",
    "flow": "action",
    "catalog": "action",
    "mpm": "action",
}
"""Of each kind of button: the type of its parameter."""


def check_button(component: Json) -> None:
    """Check a button component: its kind, its place, and what it is given."""
    kind, parameters = component.get("sub_type"), component.get("parameters")
    if not kind or component.get("index") is None or not parameters:
        raise Refused(131008, "A button component needs sub_type, index and parameters.")
    if not isinstance(kind, str):
        raise Refused(100, "sub_type must be a string.")
    if not _is_digit(component["index"]):
        raise Refused(131009, "A button's index must be 0 to 9.")
    takes = _TAKES.get(kind.lower())
    if takes is None:
        return
    given = [str(one.get("type")).lower() if isinstance(one, dict) else "" for one in parameters]
    if set(given) != {takes} or (takes != "payload" and len(given) > 1):
        raise Refused(132012, f"button: a {kind} button takes one parameter of type {takes}.")
    if kind.lower() == "mpm" and isinstance(action := parameters[0].get("action"), dict):
        check_products(action)


def _is_digit(index: object) -> bool:
    return type(index) in (int, str) and re.fullmatch("[0-9]", str(index)) is not None
