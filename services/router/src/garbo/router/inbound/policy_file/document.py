"""YAML into plain values that know their line: bounded, without aliases, tags or surprises.

Plain words are read as YAML 1.2 reads them (and JSON): `21:00` is a text and not 1260, `NO` is Norway.
"""

import math
import re
from collections.abc import Iterator
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

Scalar: TypeAlias = bool | int | float | str | None


class PolicyFault(Exception):  # noqa: N818 - it names what was found
    """What is wrong at one place of the file, and how to write it."""

    def __init__(self, line: int | None, where: str, field: str, mend: str) -> None:
        told = f"{where}: {field}: {mend}" if field else f"{where}: {mend}"
        super().__init__("".join(c if c.isprintable() else "?" for c in told))
        self.line = line
        """Counted from 1; None where it is about the whole file."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file and the line its key (or list item) stands on."""

    value: "Scalar | list[Node] | dict[str, Node]"
    line: int


def read_document(content: bytes) -> Node:
    """Read the one document of a file; raises `PolicyFault`."""
    if len(content) > MOST_BYTES:
        raise PolicyFault(
            None, "policy", "", f"has more than {MOST_BYTES} bytes: nobody reads so much; write less"
        )
    try:
        text = content.decode()
        events = _EventsOf(yaml.parse(text, Loader=_LOADER))
        document = events.document()
    except yaml.YAMLError as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        line = mark.line + 1 if mark else None
        raise PolicyFault(line, "policy", "", "is not YAML here: mend what stands there") from None
    except UnicodeDecodeError:
        raise PolicyFault(None, "policy", "", "is not UTF-8: save it as UTF-8") from None
    return document


class _EventsOf:
    """The parser's events, built into nodes; depth and kinds are checked before anything is built."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events

    def document(self) -> Node:
        """Build the first document, and refuse a second."""
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                node = self._node(next(self._events), depth=0)
                break
        else:
            raise PolicyFault(None, "policy", "", "is empty: write one")
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                raise PolicyFault(_line(event), "policy", "", "holds two documents: remove the ---")
        return node

    def _node(self, event: Event, *, depth: int, line: int | None = None) -> Node:
        _check(event, depth=depth)
        line = line or _line(event)
        match event:
            case ScalarEvent():
                return Node(_scalar(event), line)
            case SequenceStartEvent():
                return Node(self._list(depth + 1), line)
            case _:
                return Node(self._mapping(depth + 1), line)

    def _list(self, depth: int) -> list[Node]:
        items: list[Node] = []
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                break
            items.append(self._node(event, depth=depth))
        return items

    def _mapping(self, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                break
            key = self._key(event, entries)
            entries[key] = self._node(next(self._events), depth=depth, line=_line(event))
        return entries

    @staticmethod
    def _key(event: Event, entries: dict[str, Node]) -> str:
        _check(event, depth=0)
        if not isinstance(event, ScalarEvent):
            raise PolicyFault(_line(event), "policy", "", "a name must be a word")
        name = str(event.value)
        if name in entries:
            raise PolicyFault(_line(event), "policy", _short(name), "stands twice here: remove one")
        return name


def _check(event: Event, *, depth: int) -> None:
    """Refuse what could grow (aliases), construct (tags) or dig (depth)."""
    if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
        raise PolicyFault(_line(event), "policy", "", "uses & or *: write it out, or quote the word")
    if getattr(event, "tag", None) not in (None, "!"):
        raise PolicyFault(_line(event), "policy", "", "uses a ! tag: write the plain value")
    if depth > MOST_DEPTH:
        raise PolicyFault(_line(event), "policy", "", f"is nested deeper than {MOST_DEPTH} levels")
    if not isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent):
        raise PolicyFault(_line(event), "policy", "", "is not YAML here: mend what stands there")


def _scalar(event: ScalarEvent) -> Scalar:
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


def _short(name: str) -> str:
    return name if len(name) <= 40 and name.isprintable() else "a name"  # noqa: PLR2004 - a line's worth
