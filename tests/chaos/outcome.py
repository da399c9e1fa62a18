"""What became of normal traffic: decided once, sent once, every STOP in force."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import httpx

from garbo.cli.up.environment import DEMO_KEYS
from garbo.common.events.ids import message_of_attempt
from garbo.common.events.topics import DECISION_MADE
from libs.common.tests.support.waiting import until
from tests.chaos.installation import Installation
from tests.chaos.run import UNSETTLED, faults_of
from tests.chaos.traffic import Asked, Traffic

DECIDED: Final = "SELECT count(*) FROM router.decision WHERE message_id = ANY ($1::uuid[])"
STORED: Final = """
SELECT message_id, records, decided_at FROM router.decision WHERE message_id = ANY ($1::uuid[])
"""
KNOWN: Final = (
    "SELECT count(*) FROM analytics.fact WHERE message_id = ANY ($1::uuid[]) AND verdict IS NOT NULL"
)
OPEN_ATTEMPTS: Final = "SELECT count(*) FROM sender.message WHERE state = 'dispatching'"
LIMITS_S: Final = {"decided": 180.0, "settled": 240.0, "stopped": 60.0}


async def settled(installation: Installation, asked: Sequence[Asked]) -> None:
    """Wait until all is decided, analytics knows it, and no grant or call is open."""
    ids = [one.message_id for one in asked]
    for sql in (DECIDED, KNOWN):
        await until(
            lambda sql=sql: installation.value(sql, ids),  # type: ignore[misc] # bound in this round
            lambda n: n == len(ids),
            within_s=LIMITS_S["decided"],
        )
    for sql in (UNSETTLED, OPEN_ATTEMPTS):
        await installation.until_value(sql, 0, within_s=LIMITS_S["settled"])


async def faults(installation: Installation, traffic: Traffic) -> list[str]:
    """Say what is not as it must be, once all is settled."""
    asked = {one.message_id: one for one in traffic.asked}
    stored = {row["message_id"]: list(row["records"]) for row in await installation.rows(STORED, list(asked))}
    found = [f"{m} was taken and never decided" for m in asked.keys() - stored.keys()]
    told = await _told(installation, asked)
    for message_id, records in stored.items():
        found += faults_of(message_id, records, told[message_id])
    entries = await installation.ledger()
    attempts = Counter(entry["biz_opaque"] for entry in entries)
    found += [f"attempt {attempt} was accepted {n} times" for attempt, n in attempts.items() if n > 1]
    sent = Counter(m for entry in entries if (m := message_of_attempt(entry["biz_opaque"])) in asked)
    found += [f"{m} was accepted {n} times" for m, n in sent.items() if n > 1]
    allowed = {m for m, records in stored.items() if json.loads(records[0])["verdict"] == "allow"}
    found += [f"{m} was sent and not allowed" for m in sent.keys() - allowed]
    return found + await _not_in_force(installation, sorted(set(traffic.stopped)))


async def accepted_count(installation: Installation, traffic: Traffic) -> int:
    """Count how many of its messages the platform accepted."""
    ours = {one.message_id for one in traffic.asked}
    return sum(message_of_attempt(entry["biz_opaque"]) in ours for entry in await installation.ledger())


async def took_s(installation: Installation, asked: Sequence[Asked]) -> list[float]:
    """Give how long each took from being sent until it was decided, sorted."""
    rows = await installation.rows(STORED, [one.message_id for one in asked])
    decided = {row["message_id"]: row["decided_at"] for row in rows}
    return sorted((decided[one.message_id] - one.asked_at).total_seconds() for one in asked)


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """Give the value below which a share of them lies."""
    return sorted_values[min(int(len(sorted_values) * share), len(sorted_values) - 1)]


async def _told(installation: Installation, asked: Iterable[UUID]) -> defaultdict[UUID, set[bytes]]:
    """Read what was told of these; others may have written into the topic what they like."""
    wanted, told = {str(one) for one in asked}, defaultdict[UUID, set[bytes]](set)
    for value in await installation.records(DECISION_MADE):
        try:
            message_id = json.loads(value)["message_id"]
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
        if isinstance(message_id, str) and message_id in wanted:
            told[UUID(message_id)].add(value)
    return told


async def _not_in_force(installation: Installation, stopped: Sequence[str]) -> list[str]:
    """Ask what a promo to each who said STOP would be answered, until each is stopped."""
    verdicts: dict[str, Any] = {}

    async def missing() -> list[str]:
        for start in range(0, len(stopped), 500):
            some = [phone for phone in stopped[start : start + 500] if verdicts.get(phone) != "stopped"]
            verdicts.update(zip(some, await _reasons(installation, some), strict=True))
        return [phone for phone in stopped if verdicts.get(phone) != "stopped"]

    try:
        await until(missing, lambda left: not left, within_s=LIMITS_S["stopped"])
    except AssertionError:
        return [f"STOP number {stopped.index(phone)} is not in force" for phone in await missing()]
    return []


async def _reasons(installation: Installation, phones: Sequence[str]) -> list[str]:
    if not phones:
        return []
    content = {"type": "template", "template": {"name": "summer_sale", "language": {"code": "it"}}}
    now = datetime.now(UTC).isoformat()
    asked = [
        {
            "request_id": f"00000000-0000-7000-8000-{n:012d}",
            "brand": "acme",
            "to": {"phone": phone},
            "purpose": "promo",
            "content": content,
            "requested_at": now,
        }
        for n, phone in enumerate(phones)
    ]
    url = f"{installation.processes['router'].url}/v1/decisions:preview"
    async with httpx.AsyncClient(timeout=60, verify=False) as client:
        answer = await client.post(url, json=asked, headers={"Authorization": f"Bearer {DEMO_KEYS['shop']}"})
    answer.raise_for_status()
    return [decision["reason"] for decision in answer.json()]
