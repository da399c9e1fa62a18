"""The files people sent, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from garbo.common.events.ids import ERASED_CONTACT
from garbo.common.events.received_files import InboundMedia
from garbo.sender.domain.incoming_files import (
    ID_LIVES,
    ClaimedFile,
    FileEnd,
    KeptFile,
    LaterFile,
    RefusedFile,
    WantedFile,
)
from garbo.sender.ports.incoming_files import DoomedFile

TELL_AGAIN = timedelta(seconds=30)
ROW_KEPT = timedelta(days=9)


@dataclass(slots=True)
class Row:
    file: WantedFile
    contact_id: UUID
    state: str = "wanted"
    tries: int = 0
    next_at: datetime | None = field(default_factory=lambda: datetime.now(UTC))
    claim: UUID | None = None
    claimed_until: datetime | None = None
    news: InboundMedia | None = None
    ended_at: datetime | None = None
    keep_until: datetime | None = None
    tell_at: datetime | None = None


class MemoryIncomingFiles:
    """`IncomingFiles` in memory; `erase` and `pass_time` play what happens around it."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.erased: set[UUID] = set()

    async def erase(self, contact_id: UUID) -> None:
        self.erased.add(contact_id)
        for row in self.rows.values():
            if row.contact_id == contact_id:
                self._doom(row)
                row.claim, row.ended_at = None, datetime.now(UTC)

    async def pass_time(self, span: timedelta) -> None:
        for row in self.rows.values():
            for name in ("next_at", "claimed_until", "ended_at", "keep_until", "tell_at"):
                at = getattr(row, name)
                setattr(row, name, at - span if at else None)

    async def want(self, files: Sequence[WantedFile]) -> None:
        for file in files:
            if file.contact_id not in self.erased:
                self.rows.setdefault(file.message_ref, Row(file, file.contact_id))

    async def claim(self, *, limit: int, lease: timedelta) -> Sequence[ClaimedFile]:
        due = self._due("wanted")[:limit]
        for row in due:
            row.tries, row.claim = row.tries + 1, uuid4()
            row.next_at = row.claimed_until = datetime.now(UTC) + lease
        return [
            ClaimedFile(row.file, row.tries, row.claim, row.file.occurred_at + ID_LIVES)
            for row in due
            if row.claim
        ]

    async def extend(self, claimed: ClaimedFile, lease: timedelta) -> bool:
        if row := self._held(claimed):
            row.next_at = row.claimed_until = datetime.now(UTC) + lease
        return row is not None

    async def postpone(self, claimed: ClaimedFile, later: LaterFile, *, counts: bool = True) -> None:
        if row := self._held(claimed):
            row.claim = row.claimed_until = None
            row.next_at = datetime.now(UTC) + timedelta(seconds=later.after_s)
            row.tries -= not counts

    async def end(self, claimed: ClaimedFile, end: FileEnd, *, keep: timedelta) -> bool:
        row = self._held(claimed)
        if row is None:
            return False
        now, file = datetime.now(UTC), row.file
        row.claim = row.claimed_until = row.next_at = None
        row.ended_at = row.tell_at = now
        about: dict[str, Any] = {
            name: getattr(file, name) for name in ("message_ref", "brand", "number", "kind")
        }
        about |= {"contact_id": row.contact_id, "occurred_at": file.occurred_at, "ended_at": now}
        if isinstance(end, KeptFile):
            row.state, row.keep_until = "stored", now + keep
            stored: dict[str, Any] = {
                "key": file.key,
                "mime_type": file.mime_type,
                "kept_until": row.keep_until,
            }
            kept: dict[str, Any] = {"size_bytes": end.size_bytes, "sha256": end.sha256}
            row.news = InboundMedia(outcome="stored", **about, **stored, **kept)
        else:
            about["outcome"] = row.state = "refused" if isinstance(end, RefusedFile) else "gone"
            row.news = InboundMedia(reason=end.reason, **about)
        return True

    async def is_unwanted(self, message_ref: str) -> bool:
        row = self.rows.get(message_ref)
        return row is None or row.state not in ("wanted", "stored")

    async def take_untold(self) -> Sequence[tuple[str, datetime, InboundMedia]]:
        now, taken = datetime.now(UTC), []
        for ref, row in self.rows.items():
            if row.news and row.tell_at and row.tell_at <= now:
                row.tell_at = now + TELL_AGAIN
                taken.append((ref, row.tell_at, row.news))
        return taken

    async def told(self, told: Sequence[tuple[str, datetime]]) -> None:
        for ref, tell_at in told:
            if self.rows[ref].tell_at == tell_at:
                self.rows[ref].tell_at = None

    async def expire(self, *, limit: int) -> bool:
        now = datetime.now(UTC)
        over = [r for r in self.rows.values() if r.state == "stored" and r.keep_until and r.keep_until <= now]
        for row in over[:limit]:
            self._doom(row)
        old = [
            ref
            for ref, row in self.rows.items()
            if row.state in ("refused", "gone", "deleted")
            and row.tell_at is None
            and (row.ended_at or now) < now - ROW_KEPT
        ]
        for ref in old[:limit]:
            del self.rows[ref]
        return limit in (len(over[:limit]), len(old[:limit]))

    async def take_doomed(self, *, limit: int) -> Sequence[DoomedFile]:
        now, taken = datetime.now(UTC), []
        for row in self._due("doomed")[:limit]:
            is_last = row.claimed_until is None or row.claimed_until <= now
            row.next_at = max(now + TELL_AGAIN, row.claimed_until or now)
            taken.append(DoomedFile(row.file.message_ref, row.file.key, is_last))
        return taken

    async def shredded(self, message_refs: Sequence[str]) -> None:
        for ref in message_refs:
            if self.rows[ref].state == "doomed":
                self.rows[ref].state, self.rows[ref].next_at = "deleted", None

    async def counts(self) -> Mapping[str, int]:
        states = [row.state for row in self.rows.values()]
        return {state: states.count(state) for state in ("wanted", "doomed")}

    def _due(self, state: str) -> list[Row]:
        now = datetime.now(UTC)
        due = [row for row in self.rows.values() if row.state == state and row.next_at and row.next_at <= now]
        return sorted(due, key=lambda row: row.next_at or now)

    def _held(self, claimed: ClaimedFile) -> Row | None:
        row = self.rows.get(claimed.file.message_ref)
        return row if row and row.state == "wanted" and row.claim == claimed.claim else None

    def _doom(self, row: Row) -> None:
        row.state, row.contact_id, row.next_at = "doomed", ERASED_CONTACT, datetime.now(UTC)
        row.news = row.tell_at = row.keep_until = None
