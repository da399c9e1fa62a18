"""A line in memory against the simplest one: nobody is lost, overtaken by their own, or waited for."""

from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace as with_

from garbo.sender.domain.line import ROW_BYTES, Line
from garbo.sender.domain.queued_send import QueuedSend
from services.sender.tests.support.builders import a_grant, a_send

PEOPLE = [UUID(int=n + 1) for n in range(4)]
MOST = 12
SOME = a_send(a_grant(valid_for=timedelta(days=1)))


def a_message(seq: int, person: int, *, shard: int = 0) -> QueuedSend:
    return with_(SOME, message_id=UUID(int=1000 + seq), seq=seq, contact_id=PEOPLE[person], shard=shard)


class Lines(RuleBasedStateMachine):
    """The line, and the model: what waits, who is busy with what, who rests until when."""

    def __init__(self) -> None:
        super().__init__()
        self.line = Line(most_messages=MOST, most_bytes=10**9)
        self.now, self.seq = 100.0, 0
        self.waiting: dict[int, QueuedSend] = {}
        self.busy: dict[UUID, QueuedSend] = {}
        self.rests: dict[UUID, float] = {}

    @rule(person=st.integers(0, 3), shard=st.integers(0, 1), late=st.booleans())
    def add(self, person: int, shard: int, late: bool) -> None:
        """Add the newest, or one that was parked and has an older place."""
        self.seq += 2
        seq = self.seq - 101 if late else self.seq
        send = a_message(seq, person, shard=shard)
        self.line.add(send)
        self.line.add(send)
        self.waiting[seq] = send

    @rule(count=st.integers(0, 4))
    def take(self, count: int) -> None:
        """Take the first of as many people as are free, the one who waits longest first."""
        free = self._free()
        taken = self.line.take(count, self.now)
        assert len({send.contact_id for send in taken}) == len(taken)
        assert len(taken) == min(count, len(free))
        for send in taken:
            assert send == free[send.contact_id]
            self.busy[send.contact_id] = send

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """End one that was taken."""
        send = self._some_busy(data)
        self.line.finish(send)
        del self.busy[send.contact_id], self.waiting[send.seq]

    @precondition(lambda self: self.busy)
    @rule(data=st.data(), after_s=st.sampled_from([0.0, 1.0, 7.0]))
    def put_back(self, data: st.DataObject, after_s: float) -> None:
        """Put one back, for later."""
        send = self._some_busy(data)
        self.line.put_back(send, until=self.now + after_s if after_s else 0.0)
        del self.busy[send.contact_id]
        self.rests[send.contact_id] = self.now + after_s

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def take_out(self, data: st.DataObject) -> None:
        """Let a person wait outside memory, with all that is behind the one that was taken."""
        send = self._some_busy(data)
        theirs = self._of(send.contact_id)
        assert self.line.take_out(send) == theirs
        for one in theirs:
            del self.waiting[one.seq]
        del self.busy[send.contact_id]

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        """Forget one that is too late, unless it was taken."""
        send = self.waiting[data.draw(st.sampled_from(sorted(self.waiting)))]
        is_taken = send in self.busy.values()
        assert self.line.discard(send.message_id, send.contact_id) is not is_taken
        if not is_taken:
            del self.waiting[send.seq]

    @rule(shard=st.integers(0, 1))
    def keep_shard(self, shard: int) -> None:
        """Leave to others what is theirs now, but for what was taken."""
        self.line.keep_shards({shard})
        taken = {send.seq for send in self.busy.values()}
        self.waiting = {s: send for s, send in self.waiting.items() if send.shard == shard or s in taken}

    @rule(seconds=st.sampled_from([0.5, 1.0, 10.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    @invariant()
    def it_holds_what_the_model_holds(self) -> None:
        """Nobody is lost and nothing is kept that is gone."""
        assert sorted(self.line.seqs) == sorted(self.waiting)
        assert len(self.line) == len(self.waiting)
        assert self.line.room == max(0, MOST - len(self.waiting))
        for person in PEOPLE:
            assert self.line.count_of(person) == len(self._of(person))

    @invariant()
    def it_says_when_somebody_may_go(self) -> None:
        """Never too late; too early costs a look."""
        free, at = self._free(), self.line.next_at(self.now)
        if free:
            assert at == self.now
        else:
            people = {send.contact_id for send in self.waiting.values()} - self.busy.keys()
            if people:
                assert at is not None
                assert at <= min(self.rests[person] for person in people)

    def _of(self, person: UUID) -> list[QueuedSend]:
        """Give a person's, in their order; what was taken stands first."""
        theirs = [send for _, send in sorted(self.waiting.items()) if send.contact_id == person]
        taken = self.busy.get(person)
        return theirs if taken is None else [taken, *(send for send in theirs if send != taken)]

    def _free(self) -> dict[UUID, QueuedSend]:
        free = {}
        for person in PEOPLE:
            theirs, is_rested = self._of(person), self.rests.get(person, 0.0) <= self.now
            if theirs and person not in self.busy and is_rested:
                free[person] = theirs[0]
            if not theirs:
                self.rests.pop(person, None)
        return free

    def _some_busy(self, data: st.DataObject) -> QueuedSend:
        return self.busy[data.draw(st.sampled_from(sorted(self.busy)))]


TestLines = Lines.TestCase
TestLines.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)


@given(sizes=st.lists(st.integers(0, 5000), max_size=30))
def test_it_takes_no_more_when_its_memory_is_full(sizes: list[int]) -> None:
    line, most_bytes = Line(most_bytes=20_000), 20_000
    for seq, size in enumerate(sizes):
        if not line.room:
            break
        line.add(with_(a_message(seq, seq % 4), body=b"x" * size))
    held = [size for size, _ in zip(sizes, line.seqs, strict=False)]
    assert sum(size + ROW_BYTES for size in held[:-1]) < most_bytes
    for send in line.take(4, 0.0):
        line.take_out(send)
    assert len(line) == 0
    assert line.room > 0
