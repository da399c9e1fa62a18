"""`garbo doctor --ledger`: whether requests, decisions, the simulator's ledger and the facts agree.

The counts come from where each is true: the request and decision topics, the simulator, analytics' API.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from uuid import UUID

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from garbo.cli.cluster import not_answering
from garbo.cli.connection import kafka_of, url_of
from garbo.cli.typed import garbo
from garbo.common.errors import Reject, StartRefused
from garbo.common.events.decisions import DecisionMade, Verdict
from garbo.common.events.topics import DECISION_MADE, SEND_REQUESTED, Topic
from garbo.common.events.wire import decode
from garbo.common.runtime.bounded import bounded
from garbo.common.runtime.broker import KafkaSettings

HTTP_S = 35.0
"""The simulator's quiet answers within 30 s."""
READ_S = 60.0
STOP_S = 5.0
LOOK_AGAIN_S = 1.0
LEDGER_PAGE = 10_000
_MESSAGE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Who else sends through the simulator has no message id of ours."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing counted in several places; None where a place does not count it."""

    what: str
    kafka: int | None
    simulator: int | None
    analytics: int | None

    @property
    def agrees(self) -> bool:
        """Say whether all places that count it have the same number."""
        return len({n for n in (self.kafka, self.simulator, self.analytics) if n is not None}) <= 1


@dataclass(slots=True)
class Decisions:
    """What was told of one message: one record a sequence, of which the highest counts."""

    told: dict[int, UUID] = field(default_factory=dict)
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    contradicted: bool = False
    """Two different records had the same sequence."""

    def add(self, decision: DecisionMade) -> None:
        """Take a record; the same one again changes nothing."""
        known = self.told.setdefault(decision.sequence, decision.decision_id)
        self.contradicted = self.contradicted or known != decision.decision_id
        self.verdicts[decision.sequence] = decision.verdict

    @property
    def verdict(self) -> Verdict:
        """The verdict that stands: allow and deny are final, defer waits."""
        return self.verdicts[max(self.verdicts)]

    @property
    def whole(self) -> bool:
        """Whether each sequence from 1 to the highest was told, once."""
        return not self.contradicted and len(self.told) == max(self.told)


async def ledger_rows(env: Mapping[str, str], *, settle_s: float) -> list[Row]:
    """Count until all agree or the time is up; returns the last count."""
    deadline = monotonic() + settle_s
    while True:
        rows = await _count(env)
        if all(row.agrees for row in rows) or monotonic() > deadline:
            return rows
        await asyncio.sleep(LOOK_AGAIN_S)


async def quiet(env: Mapping[str, str]) -> bool:
    """Let the simulated customers rest, and wait until all is told; returns whether they were awake."""
    control = await _http(env, "GET", f"{url_of(env, 'simulator')}/control")
    await _http(env, "POST", f"{url_of(env, 'simulator')}/control/quiet")
    return bool(control["population"]["on"])


async def wake(env: Mapping[str, str]) -> None:
    """Let the simulated customers go on."""
    await _http(env, "PATCH", f"{url_of(env, 'simulator')}/control", {"population": {"on": True}})


async def _count(env: Mapping[str, str]) -> list[Row]:
    kafka = kafka_of(env)
    requested, decided, accepted, facts = await asyncio.gather(
        _requests(kafka),
        _decisions(kafka),
        _accepted(env),
        _http(env, "GET", f"{url_of(env, 'analytics')}/v1/counts"),
    )
    verdicts = Counter(message.verdict for message in decided.values())
    permitted = {name for name, message in decided.items() if "allow" in message.verdicts.values()}
    return [
        Row("requests", len(requested), None, facts["requested"]),
        Row("decided", len(decided), None, facts["decided"]),
        Row("requests without a decision", len(requested - decided.keys()), None, 0),
        Row("decisions lost or contradicted", sum(not m.whole for m in decided.values()), None, 0),
        Row("allowed", verdicts["allow"], None, facts["allowed"]),
        Row("denied", verdicts["deny"], None, facts["denied"]),
        Row("waiting", verdicts["defer"], None, facts["deferred"]),
        Row("accepted", None, len(accepted), facts["accepted"]),
        Row("accepted without ever being allowed", None, len(accepted - permitted), 0),
    ]


async def _requests(kafka: KafkaSettings) -> set[UUID]:
    """Name each request once: the message id stands for client and request id."""
    found: set[UUID] = set()
    async for value in _whole(kafka, SEND_REQUESTED):
        try:
            found.add(decode(SEND_REQUESTED, value).message_id)
        except Reject:
            continue  # in the dead letters, where its reason stands
    return found


async def _decisions(kafka: KafkaSettings) -> dict[UUID, Decisions]:
    """Give what was decided of each message; an answer about a second submission (sequence 0) is none."""
    found: dict[UUID, Decisions] = {}
    async for value in _whole(kafka, DECISION_MADE):
        try:
            decision = decode(DECISION_MADE, value)
        except Reject:
            continue
        if decision.sequence:
            found.setdefault(decision.message_id, Decisions()).add(decision)
    return found


async def _accepted(env: Mapping[str, str]) -> set[UUID]:
    """Name each message the platform accepted once; the attempt id carries the message's."""
    found: set[UUID] = set()
    after = 0
    while page := await _http(
        env, "GET", f"{url_of(env, 'simulator')}/ledger?after={after}&limit={LEDGER_PAGE}"
    ):
        for entry in page:
            message = str(entry["biz_opaque"] or "").partition(".")[0]
            if _MESSAGE.fullmatch(message):
                found.add(UUID(message))
        after = page[-1]["seq"]
    return found


async def _whole(kafka: KafkaSettings, topic: Topic[Any]) -> AsyncIterator[bytes]:
    """Read a topic from its beginning to where it ends now; StartRefused when Kafka does not answer."""
    consumer = AIOKafkaConsumer(enable_auto_commit=False, **kafka.connection())
    try:
        async with asyncio.timeout(READ_S):
            await consumer.start()
            parts = [TopicPartition(topic.name, p) for p in range(topic.partitions)]
            consumer.assign(parts)
            ends = await consumer.end_offsets(parts)
            await consumer.seek_to_beginning(*parts)
            while any([await consumer.position(part) < ends[part] for part in parts]):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    for record in batch:
                        yield record.value or b""
    except (KafkaError, TimeoutError, OSError) as error:
        raise await not_answering(kafka, error, mend="type make run") from None
    finally:
        await bounded("consumer", consumer.stop(), within_s=STOP_S)


async def _http(env: Mapping[str, str], method: str, url: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
    """Ask with GARBO_API_KEY where that is set: of this machine no key is wanted."""
    key = env.get("GARBO_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else None
    try:
        async with httpx.AsyncClient(timeout=HTTP_S, trust_env=False) as client:
            answer = await client.request(method, url, json=body, headers=headers)
    except httpx.TransportError as error:
        raise StartRefused(f"{url} does not answer ({type(error).__name__}): type make run") from None
    if not answer.is_success:
        raise StartRefused(f"{url} answered {answer.status_code}: type {garbo('doctor')}")
    return answer.json()
