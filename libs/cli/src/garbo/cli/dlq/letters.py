"""Dead letters as an operator looks at them: where from, why, since when, and whose."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final, Self

from garbo.cli.cluster import Untyped
from garbo.cli.reading import records_from
from garbo.common.runtime.deadletter import ATTEMPT, FAILED_AT, OFFSET, PARTITION, REASON, TOPIC, WHOLE_BYTES
from garbo.common.runtime.deliver.refusals import publisher_of
from garbo.common.runtime.drivers import Record
from garbo.common.runtime.raw_producer import Outgoing

DIGITS: Final = re.compile("[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record stood first, and how often it was refused since."""

    topic: str
    partition: int
    offset: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter."""

    record: Record
    origin: Origin | None
    """None where it does not say: somebody else wrote it."""
    reason: str
    publisher: str
    failed_at: datetime | None
    whole_bytes: int | None
    """How large the value was, where the letter is cut."""

    @classmethod
    def of(cls, record: Record) -> Self:
        """Read what a letter says of itself; never raises for what that is."""
        said = said_by(record)
        return cls(
            record=record,
            origin=_came_in(said, record) if said.get(TOPIC, "").startswith("http:") else origin_in(said),
            reason=said.get(REASON, ""),
            publisher=publisher_of(record)[1].decode("utf-8", "replace"),
            failed_at=_instant(said.get(FAILED_AT, "")),
            whole_bytes=_number(said[WHOLE_BYTES]) if WHOLE_BYTES in said else None,
        )

    @property
    def place(self) -> str:
        """Where the letter itself stands: partition and offset in its topic."""
        return f"{self.record.partition}/{self.record.offset}"

    @property
    def obstacle(self) -> str | None:
        """Why it cannot be tried again; None where it can."""
        if self.whole_bytes is not None:
            return f"is cut: of {self.whole_bytes} bytes it holds the first {len(self.record.value or b'')}"
        if self.origin is None:
            return "does not say where it comes from"
        return None if self.record.value else "holds nothing"

    def again(self, to: str) -> Outgoing:
        """Give the record to try again: its bytes and all its headers, its count of attempts among them."""
        place: dict[str, bytes] = {}
        if self.origin:
            place = {PARTITION: b"%d" % self.origin.partition, OFFSET: b"%d" % self.origin.offset}
        headers = tuple((name, place.get(name, value or b"")) for name, value in self.record.headers)
        return Outgoing(to, self.record.key, self.record.value or b"", headers)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which letters are meant: those of which all that is given is true."""

    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    reason: str | None = None
    """The whole reason, or its beginning up to a colon: `invalid` is every `invalid:...`."""
    publisher: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def typed(self) -> str:
        """Say it as options, for the record."""
        said = ((name.name, getattr(self, name.name)) for name in fields(self))
        return " ".join(f"--{name} {value}" for name, value in said if value is not None)

    def takes(self, letter: Letter) -> bool:
        """Tell whether a letter is meant. What a letter does not say, no condition on it is true of."""
        origin, at = letter.origin, letter.failed_at
        return (
            (self.topic is None or (origin is not None and origin.topic == self.topic))
            and (self.partition is None or (origin is not None and origin.partition == self.partition))
            and (self.offset is None or (origin is not None and origin.offset == self.offset))
            and (self.reason is None or f"{letter.reason}:".startswith(f"{self.reason}:"))
            and self.publisher in (None, letter.publisher)
            and (self.since is None or (at is not None and at >= self.since))
            and (self.until is None or (at is not None and at < self.until))
        )


async def letters_in(consumer: Untyped, topic: str) -> AsyncIterator[list[Letter]]:
    """Give the letters that stand in a topic now, as `records_from` gives its records."""
    async for records in records_from(consumer, topic):
        yield [Letter.of(record) for record in records]


def said_by(record: Record) -> dict[str, str]:
    """Read the headers of a record, whatever is in them."""
    return {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}


def origin_in(said: Mapping[str, str]) -> Origin | None:
    """Read where a record stood first, as its headers say it; None where they do not."""
    numbers = _number(said.get(PARTITION)), _number(said.get(OFFSET)), _number(said.get(ATTEMPT))
    partition, offset, attempt = numbers
    if not said.get(TOPIC) or partition is None or offset is None:
        return None
    return Origin(said[TOPIC], partition, offset, attempt or 0)


def _came_in(said: Mapping[str, str], record: Record) -> Origin:
    """Name a webhook's letter by its own place: its body never had one in a topic that counts."""
    return Origin(said[TOPIC], record.partition, record.offset, _number(said.get(ATTEMPT)) or 0)


def _number(text: str | None) -> int | None:
    return int(text) if text and DIGITS.fullmatch(text) else None


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None
