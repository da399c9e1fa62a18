"""The fields of a body, read as the platform reads them: each refusal has its code and its words."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]
MOST_ID: Final = 10_000
"""Of an id of the business's own, in characters: no limit is documented."""
_URL: Final = re.compile(r"https?://[^\s/?#]+\S*")
_DRAWN_EMPTY: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTORS: Final = re.compile(r"[\ufe00-\ufe0f\u180b-\u180f\U000e0100-\U000e01ef\ufff0-\ufff8]")


class Refused(Exception):  # noqa: N818 - it says what the platform does
    """The platform refuses a field: the code, and the details it gives."""

    def __init__(self, code: int, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


def is_blank(text: str) -> bool:
    """Tell a text of which nothing is drawn."""
    seen = _SELECTORS.sub("", text)
    return all(unicodedata.category(sign)[0] in "ZC" or sign in _DRAWN_EMPTY for sign in seen)


def text_of(block: Json, name: str, where: str, *, most: int, code: int = 131009) -> str:
    """Read a text that must be there and show something, of `most` characters."""
    text = block.get(name)
    if text is None or (isinstance(text, str) and is_blank(text)):
        raise Refused(code if code == 100 else 131008, f"The parameter {where}['{name}'] is required.")  # noqa: PLR2004
    if not isinstance(text, str):
        raise Refused(100, f"Param {where}['{name}'] must be a string.")
    if len(text) > most:
        raise Refused(code, f"Param {where}['{name}'] must be at most {most} characters long.")
    return text


def url_of(block: Json, name: str, where: str) -> None:
    """Read a web address that must be there."""
    if not _URL.fullmatch(text_of(block, name, where, most=2048)):
        raise Refused(131009, f"Param {where}['{name}'] is not a valid URI.")


def part_of(block: Json, name: str, where: str) -> Json:
    """Read an object that must be there."""
    part = block.get(name)
    if part is None:
        raise Refused(131008, f"The parameter {where}['{name}'] is required.")
    if not isinstance(part, dict):
        raise Refused(100, f"Param {where}['{name}'] must be a JSON object.")
    return part


def objects_of(
    block: Json, name: str, where: str, *, least: int = 0, most: int | None = None
) -> Sequence[Json]:
    """Read an array of objects; none when it is not there and need not be."""
    items = block.get(name, [] if least == 0 else None)
    if items is None:
        raise Refused(131008, f"The parameter {where}['{name}'] is required.")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Refused(100, f"Param {where}['{name}'] must be an array of JSON objects.")
    if len(items) < least or (most is not None and len(items) > most):
        raise Refused(131009, f"Param {where}['{name}'] must have {least} to {most} elements.")
    return items


def refuse_unknown(block: Json, known: Collection[str], where: str) -> None:
    """Refuse keys the platform does not know here."""
    for name in block:
        if name not in known:
            raise Refused(100, f'Unexpected key "{str(name)[:60]}" on param "{where}".')
