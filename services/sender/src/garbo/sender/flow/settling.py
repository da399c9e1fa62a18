"""Statuses decide attempts whose answer never came."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from garbo.common.events.ids import message_of_attempt
from garbo.common.events.statuses import MessageStatus
from garbo.sender.ports import Attempts, Results, StatusSeen, Watch

ACCEPTING: Final = frozenset({"sent", "delivered", "read", "played"})
DECIDING: Final = ACCEPTING | {"failed"}


@dataclass(frozen=True, slots=True)
class Settling:
    """Takes the statuses of the whole platform and uses the few that matter here."""

    attempts: Attempts
    results: Results
    watch: Watch

    async def settle(self, statuses: Sequence[tuple[MessageStatus, str | None]]) -> None:
        """Settle what the statuses decide and tell it. The same statuses again change nothing."""
        first: dict[str, StatusSeen] = {}
        traces: dict[str, str | None] = {}
        for status, trace in statuses:
            seen = _seen(status)
            if seen and seen.attempt_id not in first:
                first[seen.attempt_id] = seen
                traces[seen.attempt_id] = trace
        if not first:
            return
        settled = await self.attempts.settle(list(first.values()))
        for one in settled:
            trace = traces[one.result.attempt_id or ""]
            self.watch.settled(trace=trace, send=one.traceparent, outcome=one.result.outcome)
        await self._note_the_others(first, traces, {one.result.attempt_id for one in settled})
        await self.results.publish([(one.result, traces[one.result.attempt_id or ""]) for one in settled])

    async def _note_the_others(
        self,
        first: Mapping[str, StatusSeen],
        traces: Mapping[str, str | None],
        settled: Container[str | None],
    ) -> None:
        """Lead from each status back to its send, where somebody collects traces."""
        others = [name for name in first if name not in settled]
        if not others or not self.watch.collects:
            return
        for name, send in (await self.attempts.traces_of(others)).items():
            self.watch.heard(trace=traces[name], send=send, status=first[name].status)


def _seen(status: MessageStatus) -> StatusSeen | None:
    if status.status not in DECIDING or not status.attempt_id:
        return None
    if status.status == "failed" and status.participant:
        return None  # one member of a group did not get it; the send itself stands
    if message_of_attempt(status.attempt_id) is None:
        return None
    code = status.errors[0].code if status.status == "failed" and status.errors else None
    return StatusSeen(status.attempt_id, status.status, status.wamid, code, status.occurred_at)
