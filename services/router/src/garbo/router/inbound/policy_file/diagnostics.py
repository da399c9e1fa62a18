"""All that is wrong with a policy file and all that is odd, each with its line and how to mend it."""

import re
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from garbo.router.inbound.policy_file.document import (
    Document,
    Entries,
    Items,
    Place,
    PolicyError,
    Value,
    shown,
)
from garbo.router.inbound.policy_file.fields import is_line, is_name

MENDS: Final = {
    "missing": "is missing: add it",
    "extra_forbidden": "is not a field here: correct its name or remove it",
    "model_type": "must be a mapping of names to values",
    "dict_type": "must be a mapping of names to values",
    "model_attributes_type": "must be a mapping of names to values",
    "list_type": "must be a list",
    "too_short": "must be a list with at least one item",
    "too_long": "has {actual_length} items: {max_length} at most",
    "bool_type": "must be true or false",
    "literal_error": "must be one of {expected}",
    "union_tag_not_found": "is missing: add it",
    "union_tag_invalid": "must be one of {expected_tags}",
}
"""Pydantic's kind of error -> what to do. Where a value can say it better, it does (`fields.Mend`)."""
_NULL: Final = "is null: give a value, or leave out the whole of it to have none"
_QUOTED: Final = re.compile("'([^']*)'")
_KIND_AT: Final = 2
"""Pydantic names a rule's kind in the place of each of its faults: `rules`, 0, `cap`, `limit`."""
_NAMED: Final = {"rules": ("rule", "id"), "tests": ("test", "name"), "classes": ("class", None)}


class Diagnostics:
    """What is wrong with a file, all of it, and what is odd."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.errors: list[PolicyError] = []
        self.warnings: list[str] = []

    def line_of(self, place: Place) -> int:
        """Give the line a place of the file stands on."""
        return self._document.line_of(place)

    def refuse(self, place: Place, mend: str) -> None:
        """Note that what stands at a place is wrong, and how to mend it."""
        told = ": ".join((*_words(place, self._document.value), mend))
        self.errors.append(PolicyError(self.line_of(place), told))

    def refuse_all(self, invalid: ValidationError) -> None:
        """Note everything pydantic found."""
        for error in invalid.errors(include_url=False):
            self.refuse(_place(error), _mend(error))

    def warn(self, told: str) -> None:
        """Note what may be meant and is odd."""
        self.warnings.append(told)


def _place(error: ErrorDetails) -> Place:
    """Give the place in the file: without the alternatives pydantic tried on the way there."""
    place = [part for part in error["loc"] if not str(part).startswith("<")]
    if place[:1] == ["rules"]:
        del place[_KIND_AT : _KIND_AT + 1]
    return [*place, "type"] if error["type"].startswith("union_tag") else place


def _mend(error: ErrorDetails) -> str:
    if error["input"] is None and error["type"] not in ("missing", "extra_forbidden"):
        return _NULL
    if error["type"] not in MENDS:
        return error["msg"]
    known = {name: _plain(value) for name, value in error.get("ctx", {}).items()}
    return MENDS[error["type"]].format(**known)


def _plain(value: object) -> object:
    """Give a list of words as we write one: `'a', 'b' or 'c'` is a, b, c."""
    return ", ".join(_QUOTED.findall(value)) if isinstance(value, str) else value


def _words(place: Place, content: Value) -> list[str]:
    """Name a place as a person would: `rule promo-week`, `window`, `rolling`."""
    words, rest = ["policy"], list(place)
    if len(place) > 1 and place[0] in _NAMED:
        words, rest = [_named(place, content)], rest[2:]
    for part in rest:
        if isinstance(part, int):
            words[-1] += f" {part + 1}"
        else:
            words.append(shown(part))
    return words


def _named(place: Place, content: Value) -> str:
    """Name a rule or test by its name, where it has one that fits into a line; else by its number."""
    listed, n = str(place[0]), int(place[1])
    what, key = _NAMED[listed]
    if key is None:
        return f"{what} {n + 1}"
    items = content.get(listed) if isinstance(content, Entries) else None
    item = items[n] if isinstance(items, Items) else None
    name = item.get(key) if isinstance(item, Entries) else None
    if what == "rule":
        return f"rule {name}" if isinstance(name, str) and is_name(name) else f"rule number {n + 1}"
    return f"test {name!r}" if isinstance(name, str) and is_line(name) else f"test number {n + 1}"
