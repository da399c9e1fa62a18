"""Reading one mapping of the policy file, field by field, with errors a person can act on."""

import re
from collections.abc import Callable
from typing import Final, TypeVar

from garbo.router.domain.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from garbo.router.inbound.policy_file.document import Node, PolicyFault

_UNITS_US: Final = {"s": SECOND_US, "m": MINUTE_US, "h": HOUR_US, "d": DAY_US, "w": 7 * DAY_US}
_DURATION: Final = re.compile(r"^([0-9]{1,6})(s|m|h|d|w)$")
_MONTHS: Final = re.compile(r"^([1-9][0-9]{0,2})mo$")
_TIME: Final = re.compile(r"^([01][0-9]|2[0-4]):([0-5][0-9])$")
_NAME: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
Word = TypeVar("Word", bound=str)
Read = TypeVar("Read")
_LONGEST_US: Final = 3660 * DAY_US


class Findings:
    """What is wrong with a file, all of it, and what is odd."""

    def __init__(self) -> None:
        self.faults: list[PolicyFault] = []
        self.warnings: list[str] = []

    def tried(self, read: Callable[[], Read], default: Read) -> Read:
        """Read one thing; keep its fault and go on with the default, so that all faults are told at once."""
        try:
            return read()
        except PolicyFault as fault:
            self.faults.append(fault)
            return default

    def setting(self, read: "Callable[[Fields], Read]", top: "Fields") -> Read:
        """Read a part of the file that may be missing; with a fault in it, go on as if it were."""
        try:
            return read(top)
        except PolicyFault as fault:
            self.faults.append(fault)
            return read(Fields(Node({}, top.line), where=top.where))


class Fields:
    """A mapping that is read once, field by field; what is left over at the end is refused."""

    def __init__(self, node: Node, *, where: str) -> None:
        self.where, self.line = where, node.line
        if not isinstance(node.value, dict):
            raise PolicyFault(node.line, where, "", "must be a mapping of names to values")
        self._left: dict[str, Node] = dict(node.value)
        self._lines = {name: value.line for name, value in node.value.items()}

    def take(self, name: str) -> Node:
        """Take a field that must be there and must not be null."""
        if name not in self._left:
            raise self.fault(name, "is missing: add it")
        node = self._left.pop(name)
        if node.value is None:
            raise self.fault(name, "is null: give a value, or leave out the whole of it to have none")
        return node

    def has(self, name: str) -> bool:
        """Say whether a field is there and not taken yet."""
        return name in self._left

    def told(self, name: str) -> bool:
        """Say whether a field was there, taken or not."""
        return name in self._lines

    def names(self) -> list[str]:
        """Give the names nobody took yet."""
        return list(self._left)

    def must_have(self, name: str) -> None:
        """Refuse a mapping without this field."""
        if not self.told(name):
            raise self.fault(name, "is missing: add it")

    def is_null(self, name: str) -> bool:
        """Say whether a field is there and null on purpose; then it is taken."""
        found = self.has(name) and self._left[name].value is None
        if found:
            del self._left[name]
        return found

    def word(self, name: str, *, of: tuple[Word, ...], default: Word | None = None) -> Word:
        """Take one of some words."""
        if default is not None and not self.has(name):
            return default
        value = self.take(name).value
        for word in of:
            if word == value:
                return word
        raise self.fault(name, f"must be one of {', '.join(of)}")

    def text(self, name: str) -> str:
        """Take a line of text."""
        value = self.take(name).value
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise self.fault(name, "must be a text of one line")
        return value

    def name(self, name: str) -> str:
        """Take a name: letters, digits, `.`, `_` and `-`, at most 64."""
        value = self.take(name).value
        if not isinstance(value, str) or not _NAME.match(value):
            raise self.fault(name, "must be a name of letters, digits, . _ and -, at most 64")
        return value

    def flag(self, name: str) -> bool:
        """Take true or false; false when it is not there."""
        if not self.has(name):
            return False
        value = self.take(name).value
        if not isinstance(value, bool):
            raise self.fault(name, "must be true or false")
        return value

    def count(self, name: str, *, most: int, least: int = 0) -> int:
        """Take a whole number from `least` to `most`."""
        value = self.take(name).value
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            zero = " (never)" if least == 0 and name == "limit" else ""
            raise self.fault(name, f"must be a whole number from {least}{zero} to {most}")
        return value

    def duration_us(
        self, name: str, *, default: str | None = None, zero: bool = False, most_us: int = _LONGEST_US
    ) -> tuple[int, str]:
        """Take a span such as 45s, 15m, 24h, 7d, 2w: microseconds, and as it was written."""
        value = default if default is not None and not self.has(name) else self.take(name).value
        span_us = span_of(value) if isinstance(value, str) else None
        if not isinstance(value, str) or span_us is None or (span_us == 0 and not zero):
            raise self.fault(name, "must be a whole number and s, m, h, d or w, such as 24h")
        if span_us > most_us:
            raise self.fault(name, f"must be {written(most_us)} at most")
        return span_us, value

    def age(self, name: str) -> tuple[int | None, int | None]:
        """Take a span, or calendar months such as 24mo: microseconds or months, the other None."""
        value = self._left[name].value if self.has(name) else None
        match = _MONTHS.match(value) if isinstance(value, str) else None
        if match is None:
            return self.duration_us(name)[0], None
        self.take(name)
        return None, int(match[1])

    def wall_time_us(self, name: str) -> int:
        """Take a wall time such as 21:00, or 24:00 for the day's end: microseconds since 00:00."""
        value = self.take(name).value
        match = _TIME.match(value) if isinstance(value, str) else None
        at_us = int(match[1]) * HOUR_US + int(match[2]) * MINUTE_US if match else DAY_US + 1
        if at_us > DAY_US:
            raise self.fault(name, 'must be a time from 00:00 to 24:00, such as "09:00"')
        return at_us

    def words(self, name: str) -> frozenset[str] | None:
        """Take a word or a list of words; None when it is not there."""
        if not self.has(name):
            return None
        value = self.take(name).value
        listed = [node.value for node in value] if isinstance(value, list) else [value]
        words = frozenset(word for word in listed if isinstance(word, str) and word)
        if not listed or len(words) != len(listed):
            raise self.fault(name, "must be a word or a list of different words; quote what is not a word")
        return words

    def listed(self, name: str, *, most: int) -> list[Node]:
        """Take a list; an empty one when it is not there."""
        if not self.has(name):
            return []
        value = self.take(name).value
        if not isinstance(value, list):
            raise self.fault(name, "must be a list")
        if len(value) > most:
            raise self.fault(name, f"has {len(value)} items: {most} at most")
        return value

    def child(self, name: str) -> "Fields":
        """Take a mapping; an empty one when it is not there."""
        node = self.take(name) if self.has(name) else Node({}, self.line)
        return Fields(node, where=f"{self.where}: {name}")

    def done(self) -> None:
        """Refuse what nobody took."""
        if self._left:
            name = min(self._left, key=lambda left: (self._left[left].line, left))
            shown = name if name.isprintable() and len(name) <= 40 else "a name"  # noqa: PLR2004 - one line
            raise PolicyFault(
                self._lines[name], self.where, shown, "is not a field here: correct its name or remove it"
            )

    def fault(self, name: str, mend: str) -> PolicyFault:
        """Name this place, a field of it and what to do."""
        return PolicyFault(self._lines.get(name, self.line), self.where, name, mend)


def span_of(text: str) -> int | None:
    """Read a span such as 24h into microseconds; None when it is none."""
    match = _DURATION.match(text)
    return int(match[1]) * _UNITS_US[match[2]] if match else None


def written(span_us: int) -> str:
    """Write a span as the file does, in the largest unit that is whole."""
    unit = next(u for u in ("d", "h", "m", "s") if span_us % _UNITS_US[u] == 0)
    return f"{span_us // _UNITS_US[unit]}{unit}"
