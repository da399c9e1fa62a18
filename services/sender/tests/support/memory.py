"""The memory of what was sent, as a fake: it is held to the same suite as PostgreSQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import MessageId, attempt_id_of
from garbo.common.events.results import SendResult
from garbo.sender.domain.deadlines import LEAVE_WITHIN, settled_at
from garbo.sender.domain.outcomes import Accepted, Failed, NotYet, Unknown, word_of
from garbo.sender.domain.pair import earliest_us, tat_after_us
from garbo.sender.ports import (
    AttemptStatus,
    BeginResult,
    FinishedAttempt,
    Past,
    PlannedAttempt,
    RefusedGrant,
    SettledAttempt,
)

AttemptState = Literal["dispatching", "accepted", "rejected", "unknown"]
OPEN: Final = frozenset({"dispatching", "unknown"})
"""What something may still change; whichever decision comes first stands."""


@dataclass(slots=True)
class AttemptRow:
    """One attempt, as the fake memory keeps it."""

    grant: SendGranted
    n: int
    started_at: datetime
    traceparent: str | None
    state: AttemptState = "dispatching"
    platform_message_ref: str | None = None
    resolved_by: str | None = None

    def become(self, state: AttemptState, *, by: str) -> bool:
        """Take the new state; False when nothing changes."""
        if self.state not in OPEN or self.state == state:
            return False
        self.state, self.resolved_by = state, by
        return True


@dataclass(slots=True)
class MemoryAttempts:
    """`Attempts` in memory. `claims` answers like the router's function: a reason by grant id."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    claims: dict[UUID, str] = field(default_factory=dict)
    booked: dict[UUID, UUID] = field(default_factory=dict)
    """The message of each grant, as far as the router told."""
    attempts: dict[str, AttemptRow] = field(default_factory=dict)
    current: dict[UUID, SendGranted] = field(default_factory=dict)
    results: dict[UUID, SendResult] = field(default_factory=dict)
    pairs: dict[tuple[str, UUID], int] = field(default_factory=dict)

    async def recall(self, grants: Sequence[SendGranted]) -> tuple[datetime, Mapping[UUID, Past]]:
        """See `Attempts`."""
        past: dict[UUID, Past] = {}
        for grant in grants:
            rows = self._of(grant.message_id)
            for row in rows:
                if row.become("unknown", by="abandoned"):
                    self._conclude(row.grant, row, "unknown", reason="interrupted")
            if grant.message_id in self.current:
                past[grant.message_id] = self._past(grant, rows)
        return self.clock(), past

    def _past(self, grant: SendGranted, rows: Sequence[AttemptRow]) -> Past:
        current, result = self.current[grant.message_id], self.results.get(grant.message_id)
        same = (current.grant_id, current.epoch) == (grant.grant_id, grant.epoch)
        newer = _is_newer(current, grant)
        useless = result is not None and result.outcome in ("accepted", "unknown")
        claimed = any((r.grant.grant_id, r.grant.epoch) == (grant.grant_id, grant.epoch) for r in rows)
        return Past(len(rows), claimed, result if same or newer or useless else None, newer)

    async def begin(self, planned: Sequence[PlannedAttempt]) -> Mapping[UUID, BeginResult]:
        """See `Attempts`."""
        return {plan.grant.message_id: self._begin(plan) for plan in planned}

    def _begin(self, plan: PlannedAttempt) -> BeginResult:
        grant = plan.grant
        if not self._open(grant):
            return BeginResult(grant.message_id, "elsewhere")
        if any(row.state != "rejected" for row in self._of(grant.message_id)):
            return BeginResult(grant.message_id, "elsewhere")
        pair, now_us = (grant.number, grant.contact_id), int(self.clock().timestamp() * 1_000_000)
        at_us = earliest_us(self.pairs.get(pair, 0), now_us, grant.lane)
        if grant.to.group_id is None and at_us > now_us:
            return BeginResult(grant.message_id, "too_soon", after_s=(at_us - now_us) / 1_000_000)
        reason = self.claims.get(grant.grant_id, "claimed")
        late = self.clock() >= grant.valid_until
        if self.booked.get(grant.grant_id, grant.message_id) != grant.message_id:
            reason = "unknown_grant"
        if reason == "already_dispatched" and not plan.again and not self._of(grant.message_id):
            reason = "unknown_grant"
        if reason == "already_dispatched" and not plan.again:
            return BeginResult(grant.message_id, "elsewhere")
        if reason not in ("claimed", "already_dispatched") or late:
            word = "lease_expired" if late else reason
            return BeginResult(
                grant.message_id, "refused", self._conclude(grant, None, "not_sent", reason=word)
            )
        self.claims[grant.grant_id] = "already_dispatched"
        self.pairs[pair] = tat_after_us(
            self.pairs.get(pair, 0), now_us + LEAVE_WITHIN // timedelta(microseconds=1)
        )
        name = attempt_id_of(MessageId(grant.message_id), plan.n)
        self.attempts[name] = AttemptRow(grant, plan.n, self.clock(), plan.traceparent)
        return BeginResult(grant.message_id, "begun")

    async def record(self, finished: Sequence[FinishedAttempt]) -> Mapping[UUID, SendResult]:
        """See `Attempts`."""
        for one in finished:
            self._finish(one, self.attempts[one.attempt_id])
        found = {one.grant.message_id for one in finished} & self.results.keys()
        return {message: self.results[message] for message in found}

    def _finish(self, one: FinishedAttempt, row: AttemptRow) -> None:
        was_unknown = row.state == "unknown"
        match one.outcome:
            case Accepted(platform_message_ref=ref, held=held):
                if row.become("accepted", by="answer"):
                    row.platform_message_ref = ref
                    self._conclude(row.grant, row, "accepted", reason="held" if held else None)
            case Failed(code=code, reason=reason):
                if row.become("rejected", by="answer"):
                    self._conclude(row.grant, row, "failed", code=code, reason=reason)
            case NotYet(code=code, reason=reason):
                if row.become("rejected", by="answer") and was_unknown:
                    self._conclude(row.grant, row, "not_sent", code=code, reason=reason)
            case Unknown(code=code, reason=reason):
                if row.become("unknown", by="answer"):
                    self._conclude(row.grant, row, "unknown", code=code, reason=reason)

    async def refuse(self, refused: Sequence[RefusedGrant]) -> Mapping[UUID, SendResult]:
        """See `Attempts`."""
        for one in refused:
            live = any(row.state != "rejected" for row in self._of(one.grant.message_id))
            if self._open(one.grant) and not live:
                self._conclude(one.grant, None, "not_sent", code=one.code, reason=one.reason)
        found = {one.grant.message_id for one in refused} & self.results.keys()
        return {message: self.results[message] for message in found}

    async def settle(self, seen: Sequence[AttemptStatus]) -> Sequence[SettledAttempt]:
        """See `Attempts`."""
        settled: list[SettledAttempt] = []
        for status in seen:
            row = self.attempts.get(status.attempt_id)
            if row is None:
                continue
            self._settle(status, row)
            result = self.results.get(row.grant.message_id)
            if row.resolved_by == f"status:{status.status}" and result:
                settled.append(SettledAttempt(result, row.traceparent))
        return settled

    async def traces_of(self, attempt_ids: Sequence[str]) -> Mapping[str, str | None]:
        """See `Attempts`."""
        return {name: self.attempts[name].traceparent for name in attempt_ids if name in self.attempts}

    def _settle(self, status: AttemptStatus, row: AttemptRow) -> None:
        failed = status.status == "failed"
        if not row.become("rejected" if failed else "accepted", by=f"status:{status.status}"):
            return
        row.platform_message_ref = status.platform_message_ref
        if failed:
            reason = word_of(status.code) if status.code is not None else "failed"
            self._conclude(row.grant, row, "failed", code=status.code, reason=reason)
        else:
            at = settled_at(occurred_at=status.occurred_at, started_at=row.started_at)
            self._conclude(row.grant, row, "accepted", at=at)

    async def abandon(self, *, older_than: timedelta, limit: int) -> Sequence[SendResult]:
        """See `Attempts`."""
        old = [r for r in self.attempts.values() if r.started_at < self.clock() - older_than]
        gone = [row for row in old if row.become("unknown", by="abandoned")][:limit]
        return [self._conclude(row.grant, row, "unknown", reason="interrupted") for row in gone]

    async def unknown_count(self) -> int:
        """See `Attempts`."""
        return sum(row.state == "unknown" for row in self.attempts.values())

    def _of(self, message: UUID) -> list[AttemptRow]:
        return [row for row in self.attempts.values() if row.grant.message_id == message]

    def _open(self, grant: SendGranted) -> bool:
        known, result = self.current.get(grant.message_id), self.results.get(grant.message_id)
        if result and result.outcome in ("accepted", "unknown"):
            return False
        told = known and (known.grant_id, known.epoch) == (grant.grant_id, grant.epoch) and result
        if known and (told or _is_newer(known, grant)):
            return False
        self.current[grant.message_id] = grant
        self.results.pop(grant.message_id, None)
        return True

    def _conclude(
        self,
        grant: SendGranted,
        row: AttemptRow | None,
        outcome: str,
        *,
        code: int | None = None,
        reason: str | None = None,
        at: datetime | None = None,
    ) -> SendResult:
        known = self.current.get(grant.message_id, grant)
        result = SendResult.model_validate(
            {
                "message_id": known.message_id,
                "grant_id": known.grant_id,
                "contact_id": known.contact_id,
                "lane": known.lane,
                "number": known.number,
                "attempt_id": attempt_id_of(MessageId(known.message_id), row.n) if row else None,
                "outcome": outcome,
                "platform_message_ref": row.platform_message_ref if row else None,
                "code": code,
                "reason": reason,
                "started_at": row.started_at if row else None,
                "recorded_at": at or self.clock(),
            }
        )
        self.results[grant.message_id] = result
        return result


def _is_newer(one: SendGranted, other: SendGranted) -> bool:
    if one.grant_id == other.grant_id:
        return one.epoch > other.epoch
    return one.not_before > other.not_before
