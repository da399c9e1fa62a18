"""YAML into plain values and the lines they stand on: bounded, without aliases, tags or surprises.

Plain words are read as YAML 1.2 reads them (and JSON): `21:00` is a text and not 1260, `NO` is Norway.
Built from the parser's events: `yaml.compose` drops anchors and tags, and digs without a bound (ADR 0008).
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

MOST_BYTES: Final = 256 * 1024
"""Hundreds of rules and tests are a tenth of this; it is read in a fraction of a second at most."""
MOST_DEPTH: Final = 16
_WORDS: Final = {
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE: Final = re.compile(r"^[-+]?[0-9]{1,18}$")
_NUMBER: Final = re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Value: TypeAlias = "bool | int | float | str | Items | Entries | None"
Place: TypeAlias = Sequence[str | int]
"""Names and list indices from the top of the file down to a value."""


class PolicyError(Exception):
    """What is wrong at one place of the file, and how to write it."""

    def __init__(self, line: int | None, told: str) -> None:
        super().__init__("".join(c if c.isprintable() else "?" for c in told))
        self.line = line
        """Counted from 1; None where it is about the whole file."""


class Items(list[Value]):
    """A list, and the line of each item."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int] = []


class Entries(dict[str, Value]):
    """A mapping, and the line of each key."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class Document:
    """The one document of a file."""

    value: Value
    line: int
    """Where it begins."""

    def line_of(self, place: Place) -> int:
        """Give the line of a value's key or list item; where it is missing, of what it is missing from."""
        line, value = self.line, self.value
        for part in place:
            match value, part:
                case Entries(), str() if part in value:
                    line, value = value.lines[part], value[part]
                case Items(), int() if part < len(value):
                    line, value = value.lines[part], value[part]
                case _:
                    break
        return line


def read_document(content: bytes) -> Document:
    """Read the one document of a file; raises `PolicyError`."""
    if len(content) > MOST_BYTES:
        raise PolicyError(None, f"policy: has more than {MOST_BYTES} bytes: nobody reads so much; write less")
    try:
        return _Builder(yaml.parse(content.decode(), Loader=_LOADER)).document()
    except yaml.YAMLError as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        raise _not_yaml(mark.line + 1 if mark else None) from None
    except UnicodeDecodeError:
        raise PolicyError(None, "policy: is not UTF-8: save it as UTF-8") from None


class _Builder:
    """Builds values from the parser's events; depth and kinds are checked before anything is built."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events

    def document(self) -> Document:
        """Build the first document, and refuse a second."""
        documents = (event for event in self._events if isinstance(event, DocumentStartEvent))
        if next(documents, None) is None:
            raise PolicyError(None, "policy: is empty: write one")
        first = next(self._events)
        document = Document(self._value(first, depth=0), _line(first))
        for second in documents:
            raise PolicyError(_line(second), "policy: holds two documents: remove the ---")
        return document

    def _value(self, event: Event, *, depth: int) -> Value:
        _check(event, depth=depth)
        if isinstance(event, ScalarEvent):
            return _scalar(event)
        return self._items(depth + 1) if isinstance(event, SequenceStartEvent) else self._entries(depth + 1)

    def _items(self, depth: int) -> Items:
        items = Items()
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                break
            items.append(self._value(event, depth=depth))
            items.lines.append(_line(event))
        return items

    def _entries(self, depth: int) -> Entries:
        entries = Entries()
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                break
            _check(event, depth=0)
            if not isinstance(event, ScalarEvent):
                raise PolicyError(_line(event), "policy: a name must be a word")
            name = str(event.value)
            if name in entries:
                raise PolicyError(_line(event), f"policy: {shown(name)}: stands twice here: remove one")
            entries[name] = self._value(next(self._events), depth=depth)
            entries.lines[name] = _line(event)
        return entries


def shown(name: str) -> str:
    """Give a name as it fits into a line."""
    return name if len(name) <= 40 and name.isprintable() else "a name"  # noqa: PLR2004 - a line's worth


def _check(event: Event, *, depth: int) -> None:
    """Refuse what could grow (aliases), construct (tags) or dig (depth)."""
    if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
        raise PolicyError(_line(event), "policy: uses & or *: write it out, or quote the word")
    if getattr(event, "tag", None) not in (None, "!"):
        raise PolicyError(_line(event), "policy: uses a ! tag: write the plain value")
    if depth > MOST_DEPTH:
        raise PolicyError(_line(event), f"policy: is nested deeper than {MOST_DEPTH} levels")
    if not isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent):
        raise _not_yaml(_line(event))


def _scalar(event: ScalarEvent) -> Value:
    text = str(event.value)
    if not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.match(text):
        return int(text)
    if _NUMBER.match(text) and math.isfinite(number := float(text)):
        return number
    return text


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _not_yaml(line: int | None) -> PolicyError:
    return PolicyError(line, "policy: is not YAML here: mend what stands there")
