"""Templates and their parameters as the platform checks them.

Source: Meta, Cloud API "Error codes": 131008, 132000, 132001, 132005, 132012, 132018 (read 2026-09).
"""

import re
from typing import Final

from garbo.simulator.graph.accounts import Accounts, Template
from garbo.simulator.graph.errors import GraphError, graph_error
from garbo.simulator.graph.fields import Json, Refused, is_blank, url_of

_BROKEN: Final = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]|[^\S\n\t]{5}")
_COMPONENTS: Final = ("header", "body", "footer", "button", "carousel", "limited_time_offer", "order_status")
_MOST_CHARS: Final = {"body": 1024, "header": 60}
_VALUES: Final = ("text", "currency", "date_time", "image", "video", "document", "payload")


def read_template(block: object, accounts: Accounts) -> Template | GraphError:
    """Find the template a message names and check what it is given."""
    if not isinstance(block, dict):
        return graph_error(100, "template must be an object.")
    language = block.get("language")
    if not isinstance(language, dict) or not isinstance(block.get("name"), str):
        return graph_error(131008, "A template needs name and language.")
    name, code = block["name"], str(language.get("code"))
    template = accounts.template(name, code)
    if template is None:
        return graph_error(132001, f"template name ({name[:60]}) does not exist in {code[:16]}")
    try:
        given = _check_components(block.get("components") or ())
    except Refused as refused:
        return graph_error(refused.code, refused.details)
    if given != template.parameters:
        wanted = template.parameters
        details = f"body: number of localizable_params ({given}) does not match the expected ({wanted})"
        return graph_error(132000, details)
    return template


def _check_components(components: object) -> int:
    """Check every component, and count the values given to the body."""
    if not isinstance(components, list | tuple):
        raise Refused(132012, "components must be an array.")
    return sum(_check_component(component) for component in components)


def _check_component(component: object) -> int:
    kind = str(component.get("type")).lower() if isinstance(component, dict) else ""
    parameters = component.get("parameters", []) if isinstance(component, dict) else None
    if not isinstance(component, dict) or not isinstance(parameters, list) or kind not in _COMPONENTS:
        raise Refused(132012, "A component needs a known type and an array of parameters.")
    if kind == "button":
        _check_button(component)
    chars = sum(len(_checked(parameter)) for parameter in parameters)
    if kind in _MOST_CHARS and chars > _MOST_CHARS[kind]:
        raise Refused(132005, f"{kind} is longer than {_MOST_CHARS[kind]} characters.")
    return len(parameters) if kind == "body" else 0


def _check_button(component: Json) -> None:
    if not component.get("sub_type") or component.get("index") is None or not component.get("parameters"):
        raise Refused(131008, "A button component needs sub_type, index and parameters.")
    if not re.fullmatch("[0-9]", str(component["index"])):
        raise Refused(131009, "A button's index must be 0 to 9.")


def _checked(parameter: object) -> str:
    """Check one value and give the text it puts into the message."""
    kind = str(parameter.get("type")).lower() if isinstance(parameter, dict) else ""
    if not isinstance(parameter, dict) or parameter.get("type") is None:
        raise Refused(132012, "A parameter needs a type.")
    if kind not in _VALUES:
        return ""
    value = parameter.get(kind)
    if value is None or (isinstance(value, str) and is_blank(value)):
        raise Refused(131008, f"Parameter of type {kind} is missing its {kind} value.")
    if kind in ("text", "payload"):
        return _text(value) if kind == "text" else ""
    if not isinstance(value, dict):
        raise Refused(132012, f"Parameter of type {kind} must hold an object.")
    if kind in ("currency", "date_time"):
        return _text(value.get("fallback_value"))
    _check_file(kind, value)
    return ""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Refused(132012, "Parameter of type text must hold a string.")
    if is_blank(value):
        raise Refused(131008, "Parameter of type text is missing text value.")
    if _BROKEN.search(value):
        why = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces."
        raise Refused(132018, why)
    return value


def _check_file(kind: str, value: Json) -> None:
    if ("id" in value) == ("link" in value):
        raise Refused(132012, f"Parameter of type {kind} needs exactly one of id and link.")
    if "link" in value:
        url_of(value, "link", kind)
