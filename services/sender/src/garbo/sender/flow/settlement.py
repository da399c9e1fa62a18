"""Statuses decide attempts whose answer never came."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from garbo.common.events.ids import message_of_attempt, platform_message_ref
from garbo.common.events.statuses import MessageStatus
from garbo.sender.ports.attempts import Attempts, AttemptStatus
from garbo.sender.ports.outside import Results, Telemetry
from garbo.sender.ports.queue import Queue

ACCEPTING: Final = frozenset({"sent", "delivered", "read", "played"})
DECIDING: Final = ACCEPTING | {"failed"}


@dataclass(frozen=True, slots=True)
class SettleAttempts:
    """Takes the statuses of the whole platform and uses the few that matter here."""

    attempts: Attempts
    results: Results
    queue: Queue
    telemetry: Telemetry

    async def settle(self, statuses: Sequence[tuple[MessageStatus, str | None]]) -> None:
        """Settle what the statuses decide and publish it. The same statuses again change nothing."""
        first: dict[str, AttemptStatus] = {}
        traces: dict[str, str | None] = {}
        for status, trace in statuses:
            seen = _deciding(status)
            if seen and seen.attempt_id not in first:
                first[seen.attempt_id] = seen
                traces[seen.attempt_id] = trace
        if not first:
            return
        settled = await self.attempts.settle(list(first.values()))
        for one in settled:
            trace = traces.get(one.result.attempt_id or "")
            self.telemetry.attempt_settled(trace=trace, send=one.traceparent, outcome=one.result.outcome)
        await self._trace_other_statuses(first, traces, {one.result.attempt_id for one in settled})
        told = [(one.result, traces.get(one.result.attempt_id or "")) for one in settled]
        await self.results.publish(told)
        await self.queue.forget([result for result, _ in told])

    async def _trace_other_statuses(
        self,
        first: Mapping[str, AttemptStatus],
        traces: Mapping[str, str | None],
        settled: Container[str | None],
    ) -> None:
        """Lead from each status back to its send, where somebody collects traces."""
        others = [name for name in first if name not in settled]
        if not others or not self.telemetry.is_tracing:
            return
        for name, send in (await self.attempts.traces_of(others)).items():
            self.telemetry.status_received(trace=traces[name], send=send, status=first[name].status)


def _deciding(status: MessageStatus) -> AttemptStatus | None:
    if status.status not in DECIDING or not status.attempt_id:
        return None
    if status.status == "failed" and status.participant:
        return None  # one member of a group did not get it; the send itself stands
    if message_of_attempt(status.attempt_id) is None:
        return None
    code = status.errors[0].code if status.status == "failed" and status.errors else None
    ref = platform_message_ref(status.wamid)
    return AttemptStatus(status.attempt_id, status.status, ref, code, status.occurred_at)
