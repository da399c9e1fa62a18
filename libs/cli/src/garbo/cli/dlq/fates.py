"""What has become of dead letters: they wait, were tried again, or were discarded."""

from dataclasses import dataclass
from enum import Enum
from typing import Self

from garbo.cli.cluster import Untyped
from garbo.cli.dlq.letters import Letter, Origin, origin_in, said_by
from garbo.cli.reading import records_from
from garbo.common.errors import Reject
from garbo.common.events.topics import OPERATOR_ACTED, redrive
from garbo.common.events.wire import decode


class Fate(Enum):
    """What has become of a letter."""

    WAITS = "waits"
    TRIED = "tried again"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Fates:
    """What has become of the letters of one service, by what stands in Kafka."""

    tried: frozenset[Origin]
    discarded: frozenset[str]
    """By their places."""

    @classmethod
    async def of_service(cls, consumer: Untyped, service: str) -> Self:
        """Read what was tried again, and what operators discarded. Raises `StartRefused`."""
        tried = [
            origin
            async for records in records_from(consumer, redrive(service).name)
            for record in records
            if (origin := origin_in(said_by(record))) is not None
        ]
        discarded = [
            place
            async for records in records_from(consumer, OPERATOR_ACTED.name)
            for record in records
            for place in _discarded(record.value, service)
        ]
        return cls(frozenset(tried), frozenset(discarded))

    def of(self, letter: Letter) -> Fate:
        """Tell of one letter; one that was refused again since is another letter."""
        if letter.place in self.discarded:
            return Fate.DISCARDED
        return Fate.TRIED if letter.origin in self.tried else Fate.WAITS


def _discarded(value: bytes | None, service: str) -> tuple[str, ...]:
    try:
        acted = decode(OPERATOR_ACTED, value)
    except Reject:
        return ()
    return acted.letters if acted.service == service and acted.action == "letters_discarded" else ()
