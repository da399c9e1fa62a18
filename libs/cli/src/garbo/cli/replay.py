"""`garbo replay`: webhooks of a span of time, read again by the ingest that runs now."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Self

import typer

from garbo.cli.cluster import Untyped, consumer_of, producer_of
from garbo.cli.connection import kafka_of
from garbo.cli.operators import ByOption, operator_of
from garbo.cli.reading import records_from
from garbo.cli.spans import instant_of
from garbo.common.errors import Reject, RetryLater, StartRefused
from garbo.common.events.topics import WEBHOOK_RECEIVED, redrive
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.drivers import Record
from garbo.common.runtime.raw_producer import Outgoing
from garbo.common.runtime.received import received_at

AGAIN: Final = redrive("ingest").name
SAID_EVERY: Final = 10_000


@dataclass(frozen=True, slots=True)
class Span:
    """From an instant up to another one, which is not part of it."""

    since: datetime
    until: datetime

    @classmethod
    def typed(cls, since: str, until: str | None) -> Self:
        """Read both options; raises `StartRefused` where nothing lies between them."""
        end = instant_of(until, "--to") if until else datetime.now(UTC)
        span = cls(instant_of(since, "--from"), end)
        if span.since >= span.until:
            raise StartRefused("--from must be earlier than --to")
        return span

    def holds(self, record: Record) -> bool:
        """Tell whether a body came in within it."""
        try:
            at = received_at({name: value or b"" for name, value in record.headers})
        except Reject:
            return False  # somebody else wrote it
        return self.since <= at < self.until


def replay(
    *,
    since: Annotated[str, typer.Option("--from", help="Came in since: a span such as 2h, or an instant.")],
    until: Annotated[str | None, typer.Option("--to", help="Came in before: the same; without, now.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, it is only said.")] = False,
    by: ByOption = None,
) -> None:
    """Let ingest read webhooks of the last 7 days again, with the reader it has now; nothing counts twice."""
    span, kafka = Span.typed(since, until), kafka_of(os.environ)
    if not yes:
        count = asyncio.run(_count(kafka, span))
        typer.echo(f"{count} webhooks would be read again")
        typer.echo("nothing was written: add --yes to do it")
        return
    choice = f"--from {span.since.isoformat()} --to {span.until.isoformat()}"
    asyncio.run(operator_of(os.environ, kafka, by).account("webhooks_replayed", "ingest", choice=choice))
    typer.echo(f"{asyncio.run(replay_span(kafka, span))} webhooks were given to ingest to be read again")


async def replay_span(kafka: KafkaSettings, span: Span) -> int:
    """Give every body of the span to ingest again; tell how many. Raises `StartRefused`."""
    written = 0
    async with consumer_of(kafka) as consumer, producer_of(kafka) as producer:
        try:
            async for bodies in _bodies(consumer, span):
                await producer.publish([_again(body) for body in bodies])
                if (written + len(bodies)) // SAID_EVERY > written // SAID_EVERY:
                    typer.echo(f"{written + len(bodies)} so far")
                written += len(bodies)
        except RetryLater as later:
            stopped = f"{written} webhooks were given, then Kafka took no more ({later.why})"
            raise StartRefused(f"{stopped}: type it again, nothing counts twice") from None
    return written


async def _count(kafka: KafkaSettings, span: Span) -> int:
    async with consumer_of(kafka) as consumer:
        return sum([len(bodies) async for bodies in _bodies(consumer, span)])


async def _bodies(consumer: Untyped, span: Span) -> AsyncIterator[Sequence[Record]]:
    async for records in records_from(consumer, WEBHOOK_RECEIVED.name, since=span.since):
        if bodies := [record for record in records if span.holds(record)]:
            yield bodies


def _again(record: Record) -> Outgoing:
    headers = tuple((name, value or b"") for name, value in record.headers)
    return Outgoing(AGAIN, None, record.value or b"", headers)
