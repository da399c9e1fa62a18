"""Templates and their parameters as the platform checks them.

Source: Meta, Cloud API "Error codes": 131008, 132000, 132001, 132005, 132012, 132018 (read 2026-09), and the
pages on each kind of template (read 2026-11).
"""

from typing import Final

from garbo.simulator.assets.templates import Shelf, Template
from garbo.simulator.graph.carousel import refuse_same_index
from garbo.simulator.graph.errors import GraphError, graph_error
from garbo.simulator.graph.fields import Json, Refused
from garbo.simulator.graph.template_buttons import check_button
from garbo.simulator.graph.template_values import check_value

_MOST_CHARS: Final = {"body": 1024, "header": 60}
_COMPONENTS: Final = (*_MOST_CHARS, "button", "carousel", "limited_time_offer", "footer", "order_status")
_MOST_PASSWORD_CHARS: Final = 15
_ON_CARDS: Final = ("header", "body", "button")
_WORDS: Final = ("text", "currency", "date_time")


def read_template(block: object, templates: Shelf) -> Template | GraphError:
    """Find the template a message names and check what it is given."""
    if not isinstance(block, dict):
        return graph_error(100, "template must be an object.")
    language = block.get("language")
    if not isinstance(language, dict) or not isinstance(block.get("name"), str):
        return graph_error(131008, "A template needs name and language.")
    name, code = block["name"], str(language.get("code"))
    template = templates.template(name, code)
    if template is None:
        return graph_error(132001, f"template name ({name[:60]}) does not exist in {code[:16]}")
    named: list[bool] = []
    try:
        given = _check_components(block.get("components") or (), _COMPONENTS, named)
    except Refused as refused:
        return graph_error(refused.code, refused.details)
    if template.category == "AUTHENTICATION" and _longest(block.get("components")) > _MOST_PASSWORD_CHARS:
        return graph_error(132018, f"A one-time password has at most {_MOST_PASSWORD_CHARS} characters.")
    if len(set(named)) > 1:
        return graph_error(132012, "Parameters must be all named or all positional.")
    if given != template.parameters:
        wanted = template.parameters
        details = f"body: number of localizable_params ({given}) does not match the expected ({wanted})"
        return graph_error(132000, details)
    return template


def _check_components(components: object, known: tuple[str, ...], named: list[bool]) -> int:
    """Check every component, and count the values given to the body; `named` learns of each its naming."""
    if not isinstance(components, list | tuple):
        raise Refused(132012, "components must be an array.")
    return sum(_check_component(component, known, named) for component in components)


def _check_component(component: object, known: tuple[str, ...], named: list[bool]) -> int:
    kind = str(component.get("type")).lower() if isinstance(component, dict) else ""
    parameters = component.get("parameters", []) if isinstance(component, dict) else None
    if not isinstance(component, dict) or not isinstance(parameters, list) or kind not in known:
        raise Refused(132012, "A component needs a known type and an array of parameters.")
    if kind == "button":
        check_button(component)
    elif kind == "carousel":
        _check_carousel(component, named)
    elif kind == "limited_time_offer":
        _check_offer(parameters)
    chars = sum(len(check_value(parameter)) for parameter in parameters)
    if kind in _MOST_CHARS:
        _check_words(kind, parameters, chars, named)
    return len(parameters) if kind == "body" else 0


def _check_words(kind: str, parameters: list[Json], chars: int, named: list[bool]) -> None:
    if chars > _MOST_CHARS[kind]:
        raise Refused(132005, f"{kind} is longer than {_MOST_CHARS[kind]} characters.")
    if kind == "header" and len(parameters) > 1:
        raise Refused(132000, "header: number of parameters does not match the expected (1)")
    names = [p.get("parameter_name") for p in parameters if str(p["type"]).lower() in _WORDS]
    if any(name is not None and not (isinstance(name, str) and name) for name in names):
        raise Refused(132012, "parameter_name must be a string.")
    given = [name for name in names if name is not None]
    if len(set(given)) < len(given):
        raise Refused(132012, "parameter_name must be unique.")
    named.extend(name is not None for name in names)


def _check_carousel(component: Json, named: list[bool]) -> None:
    cards = component.get("cards")
    if not isinstance(cards, list) or not all(isinstance(card, dict) for card in cards):
        raise Refused(132012, "A carousel needs an array of cards.")
    if not 1 <= len(cards) <= 10:  # noqa: PLR2004 - as the document says
        raise Refused(132012, "A carousel has 1 to 10 cards.")
    refuse_same_index(cards, "cards")
    for card in cards:
        if "components" not in card:
            raise Refused(131008, "A card needs components.")
        _check_components(card["components"], _ON_CARDS, named)


def _check_offer(parameters: list[object]) -> None:
    kinds = [str(p.get("type")).lower() for p in parameters if isinstance(p, dict)]
    if kinds != ["limited_time_offer"]:
        raise Refused(132012, "limited_time_offer needs one parameter of its type.")


def _longest(components: object) -> int:
    """Count the characters of the longest text that components, which are right, are given."""
    listed = components if isinstance(components, list) else []
    texts = [value.get("text") for component in listed for value in component.get("parameters", ())]
    return max((len(text) for text in texts if isinstance(text, str)), default=0)
