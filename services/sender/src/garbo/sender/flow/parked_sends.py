"""What is on its way out of memory, to wait in the database where it takes no room."""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from garbo.sender.domain.queued_send import QueuedSend
from garbo.sender.domain.wanted_media import WantedMedia, ids_in
from garbo.sender.ports.queue import MediaAgain, Parked, Queue

HOLDS_BACK: Final = frozenset({"pair", "order", "media"})
"""What is parked for these holds back what comes later for the same person, as in `sender.take_in`."""


@dataclass(slots=True)
class ParkedSends:
    """Messages that are parked, until that is written."""

    _queue: Queue
    _leaving: list[tuple[QueuedSend, Parked]] = field(default_factory=list)
    _people: dict[UUID, list[tuple[QueuedSend, Parked]]] = field(default_factory=dict)
    """The same, person by person."""

    def add(self, send: QueuedSend, *, after_s: float, why: str) -> None:
        """Park a message for so many seconds; infinite: until somebody says so."""
        self._add(send, Parked(send.message_id, after_s, why))

    def add_for_media(self, send: QueuedSend) -> None:
        """Park a message until its files are uploaded once more."""
        wanted = WantedMedia.read(send.media or b"")
        again = MediaAgain(
            number=send.number,
            media=wanted.once_more.text,
            source=wanted.refs[0].source,
            ids=ids_in(send.body, wanted),
        )
        self._add(send, Parked(send.message_id, math.inf, "media", again))

    def holds_back(self, send: QueuedSend) -> bool:
        """Whether a message is leaving, or one of the same person's before it that it has to wait behind.

        What is held back stays where it is: it is found again when that one wakes.
        """
        return any(
            one.message_id == send.message_id
            or (
                parked.why in HOLDS_BACK
                and one.seq < send.seq
                and (one.number, one.lane) == (send.number, send.lane)
            )
            for one, parked in self._people.get(send.contact_id, ())
        )

    async def write(self) -> None:
        """Write what is parked by now; more may come meanwhile. Raises `RetryLater`: then it stays here."""
        if count := len(self._leaving):
            await self._queue.park([parked for _, parked in self._leaving])
            self._leaving = self._leaving[count:]
            people = defaultdict(list)
            for send, parked in self._leaving:
                people[send.contact_id].append((send, parked))
            self._people = dict(people)

    def _add(self, send: QueuedSend, parked: Parked) -> None:
        self._leaving.append((send, parked))
        self._people.setdefault(send.contact_id, []).append((send, parked))
