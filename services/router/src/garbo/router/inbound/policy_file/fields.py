"""Reading one mapping of the policy file, field by field, with errors a person can act on."""

import re
from collections.abc import Mapping
from typing import Any, Final

from garbo.router.domain.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US

_UNITS_US: Final = {"s": SECOND_US, "m": MINUTE_US, "h": HOUR_US, "d": DAY_US, "w": 7 * DAY_US}
_DURATION: Final = re.compile(r"^([1-9][0-9]{0,5})(s|m|h|d|w)$")


class PolicyFault(Exception):  # noqa: N818 - it names what was found
    """What is wrong with one field, and how to write it."""

    def __init__(self, where: str, field: str, mend: str) -> None:
        super().__init__(f"{where}: {field}: {mend}")


class Fields:
    """A mapping that is read once, field by field; what is left over at the end is refused."""

    def __init__(self, value: Any, *, where: str) -> None:  # noqa: ANN401 - YAML is any value
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise PolicyFault(where, "all of it", "must be a mapping of names to values")
        self.where = where
        self._left: dict[str, Any] = dict(value)

    def take(self, name: str) -> Any:  # noqa: ANN401 - YAML is any value
        """Take a field that must be there and must not be null."""
        if name not in self._left:
            raise self.fault(name, "is missing: add it")
        value = self._left.pop(name)
        if value is None:
            raise self.fault(name, "is null: give a value, or remove the whole rule to have no limit")
        return value

    def has(self, name: str) -> bool:
        """Say whether a field is there and not taken yet."""
        return name in self._left

    def word(self, name: str, *, of: tuple[str, ...], default: str | None = None) -> str:
        """Take one of some words."""
        if default is not None and not self.has(name):
            return default
        value = self.take(name)
        if value not in of:
            raise self.fault(name, f"must be one of {', '.join(of)}")
        return str(value)

    def text(self, name: str) -> str:
        """Take a name."""
        value = self.take(name)
        if not isinstance(value, str) or not value.strip():
            raise self.fault(name, "must be a name")
        return value

    def flag(self, name: str) -> bool:
        """Take true or false; false when it is not there."""
        if not self.has(name):
            return False
        value = self.take(name)
        if not isinstance(value, bool):
            raise self.fault(name, "must be true or false")
        return value

    def count(self, name: str, *, most: int) -> int:
        """Take a whole number from 0 to `most`."""
        value = self.take(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise self.fault(name, f"must be a whole number from 0 (never) to {most}")
        return value

    def duration_us(self, name: str, *, default: str | None = None) -> tuple[int, str]:
        """Take a span such as 45s, 15m, 24h, 7d, 2w: microseconds, and as it was written."""
        value = default if default is not None and not self.has(name) else self.take(name)
        match = _DURATION.match(value) if isinstance(value, str) else None
        if match is None:
            raise self.fault(name, "must be a whole number and s, m, h, d or w, such as 24h")
        return int(match[1]) * _UNITS_US[match[2]], match[0]

    def words(self, name: str) -> frozenset[str] | None:
        """Take a word or a list of words; None when it is not there."""
        if not self.has(name):
            return None
        value = self.take(name)
        listed = value if isinstance(value, list) else [value]
        if not listed or not all(isinstance(item, str) and item for item in listed):
            raise self.fault(name, "must be a word or a list of words")
        return frozenset(listed)

    def child(self, name: str) -> "Fields":
        """Take a mapping; an empty one when it is not there."""
        value = self.take(name) if self.has(name) else {}
        return Fields(value, where=f"{self.where}: {name}")

    def rest(self) -> Mapping[str, Any]:
        """Take everything that is left."""
        left, self._left = self._left, {}
        return left

    def done(self) -> None:
        """Refuse what nobody took."""
        if self._left:
            name = min(self._left)
            raise self.fault(name, "is not a field here: correct its name or remove it")

    def fault(self, name: str, mend: str) -> PolicyFault:
        """Name this place, a field of it and what to do."""
        return PolicyFault(self.where, name, mend)
