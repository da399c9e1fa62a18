"""Between the database's words and ours."""

from collections.abc import Iterable, Sequence
from typing import Any, assert_never

import asyncpg

from garbo.common.events.ids import MessageId, attempt_id_of
from garbo.common.events.results import SendResult
from garbo.sender.domain.outcomes import Accepted, Failed, NotYet, Unknown, word_of
from garbo.sender.ports.attempts import AttemptStatus, FinishedAttempt

Row = tuple[Any, ...]


def finished_row(finished: FinishedAttempt) -> Row:
    """Say what to write: message_id, n, state, platform_message_ref, code, http_status, reason."""
    match finished.outcome:
        case Accepted(platform_message_ref=ref, held=held):
            said: Row = ("accepted", ref, None, finished.http_status, "held" if held else None)
        case Failed(code=code, reason=reason):
            said = ("failed", None, code, finished.http_status, reason)
        case NotYet(code=code, reason=reason):
            said = ("open", None, code, finished.http_status, reason)
        case Unknown(code=code, reason=reason):
            said = ("unknown", None, code, finished.http_status, reason)
        case _:
            assert_never(finished.outcome)
    return (finished.send.message_id, finished.n, *said)


def status_row(seen: AttemptStatus, message_id: MessageId, n: int) -> Row:
    """Say what a status decides: message_id, n, state, status, platform_message_ref, code, reason."""
    failed = seen.status == "failed"
    reason = (word_of(seen.code) if seen.code is not None else "failed") if failed else None
    state = "failed" if failed else "accepted"
    return (message_id, n, state, seen.status, seen.platform_message_ref, seen.code, reason)


def result_of(row: asyncpg.Record) -> SendResult:
    """Read the recorded result; the same row always gives the same result."""
    sent = row["state"] != "not_sent"
    return SendResult(
        message_id=row["message_id"],
        grant_id=row["grant_id"],
        epoch=row["epoch"],
        contact_id=row["contact_id"],
        lane=row["lane"],
        number=row["number"],
        attempt_id=attempt_id_of(row["message_id"], row["n"]) if sent else None,
        outcome=row["state"],
        platform_message_ref=row["platform_message_ref"],
        code=row["code"],
        reason=row["reason"],
        possible_duplicate=row["resent_count"] > 0,
        started_at=row["started_at"],
        recorded_at=row["recorded_at"],
    )


def columns(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """Turn rows into the arrays `unnest` wants."""
    return [list(column) for column in zip(*rows, strict=True)]
