"""Between the database's words and ours."""

from dataclasses import dataclass
from typing import Any, assert_never

import asyncpg

from garbo.common.events.results import SendResult
from garbo.sender.domain.deadlines import settled_at
from garbo.sender.domain.outcomes import Accepted, Failed, NotYet, Unknown, word_of
from garbo.sender.ports import AttemptStatus, FinishedAttempt


@dataclass(frozen=True, slots=True)
class FinishedRow:
    """What an outcome writes to the attempt and to its message."""

    attempt: tuple[Any, ...]
    """attempt_id, state, platform_message_ref, code, http_status, reason"""
    message: tuple[Any, ...]
    """message_id, attempt_id, outcome (None: goes on), code, reason, recorded_at (None: now)"""


def finished_row(finished: FinishedAttempt) -> FinishedRow:
    """Say what to write."""
    match finished.outcome:
        case Accepted(platform_message_ref=ref, held=held):
            return _row(
                finished, "accepted", "accepted", platform_message_ref=ref, reason="held" if held else None
            )
        case Failed(code=code, reason=reason):
            return _row(finished, "rejected", "failed", code=code, reason=reason)
        case NotYet(code=code, reason=reason):
            return _row(finished, "rejected", None, code=code, reason=reason)
        case Unknown(code=code, reason=reason):
            return _row(finished, "unknown", "unknown", code=code, reason=reason)
        case _:
            assert_never(finished.outcome)


def result_of(row: asyncpg.Record) -> SendResult:
    """Read the recorded result; the same row always gives the same result."""
    return SendResult(
        message_id=row["message_id"],
        grant_id=row["grant_id"],
        epoch=row["epoch"],
        contact_id=row["contact_id"],
        lane=row["lane"],
        number=row["number"],
        attempt_id=row["attempt_id"],
        outcome=row["state"],
        platform_message_ref=row["platform_message_ref"],
        code=row["code"],
        reason=row["reason"],
        started_at=row["started_at"],
        recorded_at=row["recorded_at"],
    )


def _row(
    finished: FinishedAttempt,
    state: str,
    outcome: str | None,
    *,
    platform_message_ref: str | None = None,
    code: int | None = None,
    reason: str | None = None,
) -> FinishedRow:
    name = finished.attempt_id
    return FinishedRow(
        attempt=(name, state, platform_message_ref, code, finished.http_status, reason),
        message=(finished.grant.message_id, name, outcome, code, reason, None),
    )


def settle_row(seen: AttemptStatus) -> tuple[Any, ...]:
    """Say what a status writes: attempt_id, state, status, platform_message_ref, code, reason."""
    failed = seen.status == "failed"
    reason = (word_of(seen.code) if seen.code is not None else "failed") if failed else None
    state = "rejected" if failed else "accepted"
    return (seen.attempt_id, state, seen.status, seen.platform_message_ref, seen.code, reason)


def conclusion_row(settled: asyncpg.Record, seen: AttemptStatus) -> tuple[Any, ...]:
    """Say what a settled attempt writes to its message: as in `FinishedRow.message`."""
    _, state, _, _, code, reason = settle_row(seen)
    accepted = state == "accepted"
    at = settled_at(occurred_at=seen.occurred_at, started_at=settled["started_at"]) if accepted else None
    outcome = "accepted" if accepted else "failed"
    return (settled["message_id"], settled["attempt_id"], outcome, code, reason, at)


def columns(rows: Any) -> list[list[Any]]:  # noqa: ANN401 - rows of any shape
    """Turn rows into the arrays `unnest` wants."""
    return [list(column) for column in zip(*rows, strict=True)]
