"""`garbo replay`: webhooks are read again, and nothing counts, is sent or is told twice."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
import pytest
from aiokafka import TopicPartition
from typer.testing import CliRunner

from garbo.cli.cluster import consumer_of, ends_of
from garbo.cli.main import app
from garbo.cli.reading import records_from
from garbo.cli.up.plan import read_plan
from garbo.cli.up.programs import DATABASE, postgres_of
from garbo.common.events.topics import (
    CONVERSATION_CARE,
    ENGAGEMENT_PROMO,
    INBOUND_MESSAGE,
    MESSAGE_STATUS,
    SEND_RESULT,
    Topic,
)
from libs.common.tests.support.waiting import until
from tests.e2e.stack import Stack, request
from tests.e2e.test_webhooks_end_to_end import body, message
from tests.support.lag import all_read

pytestmark = pytest.mark.e2e
PEOPLE: Final = [f"+39338{n:07d}" for n in range(20)]
EVERY_TABLE: Final = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('router', 'sender', 'analytics') AND c.relkind = 'r' ORDER BY 1
"""
CONTENT: Final = """
SELECT count(*) || ' ' || coalesce(md5(string_agg(content, ',' ORDER BY content)), '')
FROM (SELECT ({})::text AS content FROM {} t) AS rows
"""
WITHOUT: Final = {"sender.portfolio": "to_jsonb(t) - 'told_at'"}
"""When the platform was last asked for a limit."""
MOVING: Final = frozenset(
    {"sender.number_rate", "router.reaped", "router.template", "router.template_version"}
)
"""What the clock changes: rates, upkeep, when templates were last read."""
TOLD_ONCE: Final = (CONVERSATION_CARE, ENGAGEMENT_PROMO)
READ: Final = (INBOUND_MESSAGE, MESSAGE_STATUS)


async def test_what_is_read_again_changes_nothing(stack: Stack) -> None:
    if stack.data is None:
        pytest.skip("an installation elsewhere does not let us look at its database")
    # From now on: what earlier tests told of templates would have them read anew while others test them.
    span, begun = ("--from", datetime.now(UTC).isoformat()), await ends(stack, READ)
    await lived(stack)
    before, told = await tables(stack), await ends(stack, TOLD_ONCE)
    results = await different(stack, SEND_RESULT)
    sent, read, buried = await stack.ledger(), await ends(stack, READ), await stack.dead_letters()

    assert "webhooks would be read again" in await typed(stack, "replay", *span)
    assert await ends(stack, READ) == read
    assert "webhooks were given to ingest" in await typed(stack, "replay", *span, "--yes")

    await until(lambda: ends(stack, READ), lambda now: all(now[n] >= 2 * read[n] - begun[n] for n in read))
    await all_read(stack.kafka)
    assert await tables(stack) == before
    assert await ends(stack, TOLD_ONCE) == told
    assert await different(stack, SEND_RESULT) == results, (
        "what a status settled is repeated, and nothing else"
    )
    assert await stack.ledger() == sent
    assert await stack.dead_letters() == buried


async def lived(stack: Stack) -> None:
    """Let people be written to, write, opt out, and come back; wait until all of it is known everywhere."""
    await stack.opt_in(PEOPLE)
    await stack.publish([request(phone) for phone in PEOPLE[:10]])
    for words in ("Dov'è il mio ordine?", "STOP", "START"):
        assert await stack.webhook(body(stack, *(message(phone, words) for phone in PEOPLE[5:]))) == 200
    await stack.publish([request(phone, purpose="care") for phone in PEOPLE[15:]])
    await all_read(stack.kafka)
    await until(stack.ledger, lambda sent: len(sent) >= 5)
    await all_read(stack.kafka)
    assert (await stack.post("simulator", "/control/quiet", {})).status_code == 200  # also of earlier tests
    await all_read(stack.kafka)


async def typed(stack: Stack, *words: str) -> str:
    env = {"GARBO_KAFKA_BOOTSTRAP_SERVERS": stack.kafka.bootstrap_servers}
    result = await asyncio.to_thread(CliRunner().invoke, app, words, env=env)
    assert result.exit_code == 0, result.output
    return result.output


async def tables(stack: Stack) -> dict[str, str | None]:
    connection = await asyncpg.connect(postgres_of(read_plan(stack.environ)).dsn(DATABASE))
    try:
        names = [name for (name,) in await connection.fetch(EVERY_TABLE) if name not in MOVING]
        asked = {name: CONTENT.format(WITHOUT.get(name, "t"), name) for name in names}
        return {name: await connection.fetchval(sql) for name, sql in asked.items()}
    finally:
        await connection.close()


async def different(stack: Stack, topic: Topic[Any]) -> set[tuple[bytes | None, bytes | None]]:
    """Give the different records of a topic: their ids and contents."""
    async with consumer_of(stack.kafka) as consumer:
        return {
            (dict(record.headers)["ce_id"], record.value)
            async for records in records_from(consumer, topic.name)
            for record in records
        }


async def ends(stack: Stack, topics: Sequence[Topic[Any]]) -> dict[str, int]:
    partitions = [TopicPartition(t.name, n) for t in topics for n in range(t.partitions)]
    async with consumer_of(stack.kafka) as consumer:
        at = await ends_of(consumer, partitions)
    return {t.name: sum(at[tp] for tp in partitions if tp.topic == t.name) for t in topics}
