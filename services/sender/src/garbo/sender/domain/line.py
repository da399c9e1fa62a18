"""One number's messages of one lane, in memory: person by person, each person's in their order.

A person is *free* (the oldest message may be taken), *busy* (it was taken) or *resting* (not before an
instant). Nobody waits for a person who is busy or resting. Instants are seconds of a monotonic clock.
"""

import heapq
import math
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from garbo.sender.domain.queued_send import QueuedSend

MOST_MESSAGES: Final = 512
MOST_BYTES: Final = 4 * 1024 * 1024
MOST_OF_ONE: Final = 64
"""Of one person: more than may be sent to them at once, so that nobody's flood fills the line."""
ROW_BYTES: Final = 600
"""What a message takes beside its body."""


@dataclass(slots=True)
class _Person:
    waiting: deque[QueuedSend] = field(default_factory=deque)
    busy: bool = False
    rests_until: float = -math.inf

    def put(self, send: QueuedSend) -> None:
        """Put a message into its place, never before one that was taken."""
        place = len(self.waiting)
        while place > self.busy and self.waiting[place - 1].seq > send.seq:
            place -= 1
        self.waiting.insert(place, send)

    def is_free(self, now: float) -> bool:
        return not self.busy and self.rests_until <= now


class Line:
    """See the module."""

    def __init__(self, *, most_messages: int = MOST_MESSAGES, most_bytes: int = MOST_BYTES) -> None:
        self._most_messages, self._most_bytes = most_messages, most_bytes
        self._people: dict[UUID, _Person] = {}
        self._free: list[tuple[int, UUID]] = []
        self._resting: list[tuple[float, UUID]] = []
        self._messages: dict[UUID, int] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._messages)

    def __contains__(self, message_id: object) -> bool:
        return message_id in self._messages

    @property
    def room(self) -> int:
        """How many more messages it takes."""
        return 0 if self._bytes >= self._most_bytes else max(0, self._most_messages - len(self._messages))

    @property
    def seqs(self) -> list[int]:
        """The places of all that is here."""
        return list(self._messages.values())

    def count_of(self, contact_id: UUID) -> int:
        """Count a person's messages."""
        person = self._people.get(contact_id)
        return len(person.waiting) if person else 0

    def add(self, send: QueuedSend) -> None:
        """Put a message among its person's others, by its place; none is taken twice."""
        if send.message_id in self._messages:
            return
        person = self._people.get(send.contact_id)
        if person is None:
            person = self._people[send.contact_id] = _Person()
        person.put(send)
        if not person.busy and person.waiting[0] is send:
            heapq.heappush(self._free, (send.seq, send.contact_id))
        self._messages[send.message_id] = send.seq
        self._bytes += len(send.body) + ROW_BYTES

    def free_count(self, now: float, *, most: int) -> int:
        """Count the people one of whose messages may be taken now, up to `most`."""
        self._wake(now)
        return min(len(self._free), most)

    def take(self, count: int, now: float) -> list[QueuedSend]:
        """Take the oldest message of as many people; they are busy until it is finished or put back."""
        self._wake(now)
        taken: list[QueuedSend] = []
        while self._free and len(taken) < count:
            _, contact_id = heapq.heappop(self._free)
            person = self._people.get(contact_id)
            if person and person.is_free(now):
                person.busy = True
                taken.append(person.waiting[0])
        return taken

    def finish(self, send: QueuedSend) -> None:
        """Forget a message that was taken; the person's next one may be taken."""
        person = self._people.get(send.contact_id)
        if person is None or send.message_id not in self._messages:
            return
        person.waiting.remove(send)
        self._forget(send)
        self._free_again(send.contact_id, person)

    def put_back(self, send: QueuedSend, *, until: float = 0.0) -> None:
        """Let a message that was taken be taken again, at `until` at the earliest."""
        person = self._people.get(send.contact_id)
        if person is None or not person.busy:
            return
        person.busy = False
        person.put(person.waiting.popleft())  # one from before may have come meanwhile
        if until:
            person.rests_until = until
            heapq.heappush(self._resting, (until, send.contact_id))
        else:
            heapq.heappush(self._free, (person.waiting[0].seq, send.contact_id))

    def take_out(self, send: QueuedSend) -> list[QueuedSend]:
        """Take a message that was taken out of memory, with all that stands behind it for the same person."""
        person = self._people.pop(send.contact_id, None)
        if person is None:
            return []
        for one in person.waiting:
            self._forget(one)
        return list(person.waiting)

    def discard(self, message_id: UUID, contact_id: UUID) -> bool:
        """Forget a message that was not taken; False when it was."""
        person = self._people.get(contact_id)
        found = (
            next((one for one in person.waiting if one.message_id == message_id), None) if person else None
        )
        if person is None or found is None:
            return True
        if person.busy and found is person.waiting[0]:
            return False
        person.waiting.remove(found)
        self._forget(found)
        if not person.waiting:
            del self._people[contact_id]
        return True

    def keep_shards(self, shards: Collection[int]) -> None:
        """Forget what others send now, but for what was taken."""
        for contact_id, person in list(self._people.items()):
            for one in list(person.waiting):
                if one.shard not in shards:
                    self.discard(one.message_id, contact_id)

    def next_at(self, now: float) -> float | None:
        """Say when something can be taken: `now`, or when the first person has rested; None if nobody has."""
        self._wake(now)
        if self._free:
            return now
        return self._resting[0][0] if self._resting else None

    def _wake(self, now: float) -> None:
        while self._resting and self._resting[0][0] <= now:
            _, contact_id = heapq.heappop(self._resting)
            if (person := self._people.get(contact_id)) and person.is_free(now):
                heapq.heappush(self._free, (person.waiting[0].seq, contact_id))

    def _free_again(self, contact_id: UUID, person: _Person) -> None:
        person.busy = False
        if person.waiting:
            heapq.heappush(self._free, (person.waiting[0].seq, contact_id))
        else:
            del self._people[contact_id]

    def _forget(self, send: QueuedSend) -> None:
        if self._messages.pop(send.message_id, None) is not None:
            self._bytes -= len(send.body) + ROW_BYTES
