"""What a new template must look like.

Source: Meta, "Template components", "Template fields" (read 2026-11): lengths, examples, buttons.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NoReturn

import orjson

from garbo.simulator.assets.templates import Json, Template, variables_of
from garbo.simulator.graph.errors import Refusal, plain_error
from garbo.simulator.graph.nodes.call import Call

_NAME: Final = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?")
_CATEGORIES: Final = ("MARKETING", "UTILITY", "AUTHENTICATION")
_KINDS: Final = ("HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER")
_FORMATS: Final = ("TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION", "GIF", "PRODUCT")
_BUTTONS: Final = (
    "QUICK_REPLY",
    "URL",
    "PHONE_NUMBER",
    "COPY_CODE",
    "OTP",
    "FLOW",
    "CATALOG",
    "MPM",
    "VOICE_CALL",
)
_LONGEST: Final = {"HEADER": 60, "BODY": 1024, "FOOTER": 60}
MOST_BUTTONS: Final = 10
BUTTON_CHARS: Final = 25


def read_form(call: Call) -> Template:
    """Read a new template, still to be reviewed; raises `Refusal` with what is wrong."""
    name, language = call.text("name", most=512), call.text("language", most=16)
    category = read_category(call)
    if not _NAME.fullmatch(name):
        refuse("name may hold only lower-case letters, digits and underscores.")
    if not _LANGUAGE.fullmatch(language):
        refuse("language must be a code such as en or en_US.")
    components = read_components(call.params.get("components"), category)
    named = str(call.params.get("parameter_format", "POSITIONAL")).upper()
    if named not in ("POSITIONAL", "NAMED"):
        refuse("parameter_format must be one of POSITIONAL, NAMED.")
    template = Template(name, language, category, len(variables_of(components)), components=components)
    return replace(template, status="PENDING", parameter_format=named)


def read_category(call: Call) -> str:
    """Read a template's category."""
    category = call.text("category", most=32).upper()
    if category not in _CATEGORIES:
        refuse(f"category must be one of {', '.join(_CATEGORIES)}.")
    return category


def read_components(given: object, category: str) -> tuple[Json, ...]:
    """Read a template's parts."""
    if isinstance(given, str):  # as a form field
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError:
            refuse("components must be an array.")
    if not isinstance(given, list) or not all(isinstance(part, dict) for part in given):
        refuse("components must be an array of objects.")
    kinds = [str(part.get("type")).upper() for part in given]
    if kinds.count("BODY") != 1 or len(set(kinds)) != len(kinds):
        refuse("components needs one BODY, and no kind of component twice.")
    for kind, part in zip(kinds, given, strict=True):
        if kind not in _KINDS:
            refuse("a component's type is unknown.")
        if kind == "BUTTONS":
            _check_buttons(part)
        elif kind == "HEADER" and str(part.get("format", "TEXT")).upper() != "TEXT":
            _check_file(part)
        elif category != "AUTHENTICATION" and kind in _LONGEST:
            _check_text(part, kind)
    return tuple(given)


def refuse(why: str) -> NoReturn:
    """Refuse a form."""
    raise Refusal(plain_error(f"(#100) Invalid parameter: {why}"))


def _check_text(part: Json, kind: str) -> None:
    text = part.get("text")
    if not isinstance(text, str) or not text.strip():
        refuse(f"{kind} needs a text.")
    elif len(text) > _LONGEST[kind]:
        refuse(f"{kind} is longer than {_LONGEST[kind]} characters.")
    names = variables_of([part], kind)
    if names and not isinstance(part.get("example"), dict):
        refuse(f"{kind} has variables and no example.")
    if names and all(name.isdecimal() for name in names):
        _check_order(names, kind)


def _check_order(names: Iterable[str], kind: str) -> None:
    listed = sorted(map(int, names))
    if listed != list(range(1, len(listed) + 1)):
        refuse(f"the variables of {kind} must be numbered from 1 without a gap.")


def _check_file(part: Json) -> None:
    form = str(part["format"]).upper()
    if form not in _FORMATS:
        refuse("a header's format is unknown.")
    example = part.get("example")
    wants = form in ("IMAGE", "VIDEO", "DOCUMENT", "GIF")
    if wants and not (isinstance(example, dict) and example.get("header_handle")):
        refuse("a header with a file needs example.header_handle, the handle of an upload.")


def _check_buttons(part: Json) -> None:
    buttons = part.get("buttons")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= MOST_BUTTONS:
        refuse(f"BUTTONS needs 1 to {MOST_BUTTONS} buttons.")
    for button in buttons:
        if not isinstance(button, dict) or str(button.get("type")).upper() not in _BUTTONS:
            refuse("a button's type is unknown.")
        elif len(str(button.get("text", ""))) > BUTTON_CHARS:
            refuse(f"a button's text is longer than {BUTTON_CHARS} characters.")
        elif str(button["type"]).upper() == "URL" and not str(button.get("url", "")).startswith("http"):
            refuse("a URL button needs a url.")
