"""The run: hot people, more requests than any of them may get, and routers that die under the load."""

import asyncio
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from garbo.common.events.addresses import Recipient
from garbo.common.events.contacts import ConsentRecorded
from garbo.common.events.content import TemplateContent
from garbo.common.events.ids import message_of_attempt
from garbo.common.events.requests import SendRequested
from garbo.common.events.template import Language, Template
from garbo.common.events.topics import CONSENT_RECORDED, DECISION_MADE, SEND_REQUESTED
from libs.common.tests.support.waiting import until
from tests.chaos.installation import Installation, with_the_platform
from tests.chaos.trailing import Excess, ledger_sends, over_cap

LIMIT: Final = 3
LOOK_EVERY_S: Final = 0.05
SPAN_US: Final = 20_000_000
CONTENT: Final = TemplateContent(template=Template(name="summer_sale", language=Language(code="it")))
DEADLOCKS: Final = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
DECIDED: Final = "SELECT count(*) FROM router.decision"
CONSENTED: Final = "SELECT count(*) FROM router.consent_record"
UNSETTLED: Final = """
SELECT (SELECT count(*) FROM router.send_grant WHERE state IN ('reserved', 'dispatched'))
     + (SELECT count(*) FROM router.outbox)
"""
STORED: Final = "SELECT message_id, records FROM router.decision"


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it."""

    people: int = 1_000
    requests: int = 10_000
    routers: int = 4
    kills: int = 2
    kill_every_s: float | None = None
    """None: one kill after each equal share of the decisions, however fast the machine is."""
    finish_within_s: float = 240.0
    lasting_names: bool = False
    """Killed and started again, a router goes on at once. Not on servers that others use after it: what ended
    for good keeps its partitions for a while."""


@dataclass
class Found:
    """What a run left behind."""

    excesses: list[Excess]
    accepted: int
    deadlocks: int
    dead_letters: int
    faults: list[str] = field(default_factory=list)
    kills: int = 0
    took_s: float = 0.0

    @property
    def people_over_cap(self) -> int:
        """How many people got more than the cap in some window."""
        return len({excess.person for excess in self.excesses})


def promo(phone: str, *, priority: int = 50) -> SendRequested:
    """Ask for a promo to one phone."""
    return SendRequested(
        request_id=uuid4(),
        client="shop",
        brand="acme",
        to=Recipient(phone=phone),
        purpose="promo",
        priority=priority,
        content=CONTENT,
        requested_at=datetime.now(UTC),
    )


def requests_of(size: Size) -> list[SendRequested]:
    """Make requests: each person many, in no order."""
    requests = [promo(_phone(n % size.people), priority=n % 100) for n in range(size.requests)]
    random.Random(size.requests).shuffle(requests)
    return requests


async def chaos(installation: Installation, size: Size, *, module: str = "garbo.router") -> Found:
    """Run it whole: consents, requests, kills, until every request is decided and every send settled."""
    names = [f"router-{n}" for n in range(size.routers)]
    with_the_platform(installation)
    for name in names:
        lasting = {"GARBO_KAFKA_INSTANCE": name} if size.lasting_names else {}
        installation.add(name, module, **lasting)
    for name in names:
        installation.processes[name].wait_ready()
    await opt_in(installation, [_phone(n) for n in range(size.people)])
    requests, began = requests_of(size), time.monotonic()
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        killing = group.create_task(_kill(installation, names, size, over))
        await installation.publish(SEND_REQUESTED, requests)
        decided = _value(installation, DECIDED)
        await until(decided, lambda n: n >= size.requests, within_s=size.finish_within_s)
        over.set()
    took_s = time.monotonic() - began
    await _settled(installation)
    found = await _look(installation, {r.message_id for r in requests})
    found.kills, found.took_s = killing.result(), took_s
    return found


async def opt_in(installation: Installation, phones: Sequence[str]) -> Sequence[str]:
    """Record consents; returns the phones once the router knows all of them."""
    now, before = datetime.now(UTC), int(await installation.value(CONSENTED))
    consents = [
        ConsentRecorded(
            consent_id=uuid4(),
            client="shop",
            brand="acme",
            to=Recipient(phone=phone),
            action="given",
            source="form",
            occurred_at=now,
            recorded_at=now,
        )
        for phone in phones
    ]
    await installation.publish(CONSENT_RECORDED, consents)
    await until(_value(installation, CONSENTED), lambda n: n >= before + len(phones))
    return phones


async def _kill(installation: Installation, names: list[str], size: Size, over: asyncio.Event) -> int:
    """Kill one router after the other with SIGKILL and start it again at once."""
    dice, kills, killed_at = random.Random(7), 0, time.monotonic()
    while kills < size.kills and not over.is_set():
        if size.kill_every_s is None:
            decided = await installation.value(DECIDED)
            is_time = decided >= size.requests * (kills + 1) / (size.kills + 1)
        else:
            is_time = time.monotonic() - killed_at >= size.kill_every_s
        if is_time:
            process = installation.processes[dice.choice(names)]
            process.kill()
            process.start()
            kills, killed_at = kills + 1, time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY_S):
                await over.wait()
    return kills


async def _settled(installation: Installation) -> None:
    """Wait until every grant was answered or given back, and all that was decided is told."""
    await until(_value(installation, UNSETTLED), lambda n: n == 0, within_s=240)


async def _look(installation: Installation, asked: set[Any]) -> Found:
    entries = await installation.ledger()
    found = Found(
        excesses=over_cap(ledger_sends(entries), limit=LIMIT, span_us=SPAN_US),
        accepted=len(entries),
        deadlocks=await installation.value(DEADLOCKS),
        dead_letters=await installation.dead_letter_count(),
    )
    stored = {row["message_id"]: list(row["records"]) for row in await installation.rows(STORED)}
    told: defaultdict[UUID, set[bytes]] = defaultdict(set)
    for value in await installation.records(DECISION_MADE):
        told[UUID(json.loads(value)["message_id"])].add(value)
    found.faults += (
        [] if set(stored) == asked else [f"{len(asked ^ set(stored))} requests asked or decided alone"]
    )
    for message_id, records in stored.items():
        found.faults += faults_of(message_id, records, told[message_id])
    sent = Counter(message_of_attempt(entry["biz_opaque"]) for entry in entries)
    allowed = {m for m, records in stored.items() if json.loads(records[0])["verdict"] == "allow"}
    found.faults += [f"{m} was accepted {n} times" for m, n in sent.items() if n > 1]
    found.faults += [f"{m} was sent and not allowed" for m in sent if m not in allowed]
    return found


def faults_of(message_id: UUID, records: list[bytes], told: set[bytes]) -> list[str]:
    """Say what is wrong with one message's decisions: stored, told, in order, and one that is final."""
    faults: list[str] = []
    if set(records) != told:
        faults.append(f"{message_id}: {len(records)} records stored, {len(told)} different ones told")
    decisions = [json.loads(record) for record in records]
    if [d["sequence"] for d in decisions] != list(range(1, len(decisions) + 1)):
        faults.append(f"{message_id}: sequences {[d['sequence'] for d in decisions]}")
    if not decisions[-1]["final"]:
        faults.append(f"{message_id}: the last decision is not final")
    return faults


def _value(installation: Installation, sql: str) -> Any:  # noqa: ANN401 - a function that waits for a number
    async def look() -> int:
        return int(await installation.value(sql))

    return look


def _phone(person: int) -> str:
    return f"+39334{person:07d}"
