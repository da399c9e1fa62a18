"""A console over a made-up afternoon, without Kafka: python demo_console.py [port].

The events go through the real flow into a real database of its own; a few more come each second.
"""

import asyncio
import random
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from garbo.analytics.flow import Queries, RecordFacts
from garbo.analytics.inbound.http.app import http_app
from garbo.analytics.inbound.http.stream import LiveFunnel
from garbo.analytics.outbound.postgres_facts import PostgresFacts
from garbo.analytics.outbound.postgres_queries import PostgresFactQueries
from garbo.common.clock import SystemClock
from garbo.common.events.base import Event
from garbo.common.runtime.http import HttpServer
from garbo.common.runtime.migrations import migrate
from garbo.common.runtime.postgres import Database
from services.analytics.tests.support.guards import guard_of
from services.analytics.tests.support.journeys import Journey
from tests.support.own_servers import OwnPostgres

PROMOS = (("summer-sale", "summer_sale"), ("price-drop", "price_drop"), ("new-in-milan", "new_in"))
PEOPLE = 180
BACK_S = 6 * 3600


def journey(dice: random.Random, begun_at: datetime) -> Journey:
    """Make one message of this afternoon."""
    if dice.random() < 0.3:
        return Journey(begun_at=begun_at, purpose="care", campaign=None, template=None, client="help-desk")
    campaign, template = dice.choice(PROMOS)
    return Journey(begun_at=begun_at, campaign=campaign, template=template, client="newsletter")


def events_of(one: Journey, dice: random.Random) -> list[Event]:
    """Let it happen, as things happen."""
    asked, luck = [one.requested()], dice.random()
    if one.purpose == "promo" and luck < 0.36:
        reasons = ["not_opted_in", "stopped", "gap", "gap"]
        reason = dice.choice(reasons)
        free_at = one.at(4 * 3600 * dice.random()) if reason == "gap" else None
        held = one.held(reason, window="min 4h", next_allowed_at=free_at)
        return [*asked, one.held_by_cap() if luck < 0.24 else held]
    if one.purpose == "promo" and luck < 0.5:
        wait_s = 3600 * dice.random()
        reason = dice.choice(["quiet", "case_open", "cap_reached"])
        return [*asked, one.put_off(reason, until=wait_s), one.allowed(after=wait_s + 1, sequence=2)]
    if luck > 0.985:
        return [*asked, one.allowed(), one.result("unknown", after=1.4)]
    if luck > 0.965:
        return [*asked, one.allowed(), one.result("accepted"), one.status("failed", code=131026)]
    told: list[Event] = [*asked, one.allowed(), one.result("accepted"), one.status("sent", after=1)]
    if dice.random() < 0.96:
        told.append(one.status("delivered", after=2 + dice.random() * 4))
        if dice.random() < 0.72:
            told.append(one.status("read", after=10 + dice.random() * 200))
            if dice.random() < 0.24:
                told += one.answered(after=60 + dice.random() * 300)
            if one.purpose == "promo" and dice.random() < 0.03:
                told.append(one.stopped(after=90))
    return told


def afternoon(dice: random.Random, now: datetime) -> list[Event]:
    """Tell what happened in the last hours, no event later than now."""
    begins = [now - timedelta(seconds=dice.random() * BACK_S) for _ in range(2600)]
    begins += [now - timedelta(seconds=dice.random() ** 1.3 * 900) for _ in range(380)]
    told = [event for at in begins for event in events_of(journey(dice, at), dice)]
    return [event for event in told if event.happened_at <= now]


async def live(record_facts: RecordFacts, dice: random.Random) -> None:
    """Go on, a message or two a second."""
    coming: list[Event] = []
    while True:
        now = datetime.now(UTC)
        coming += events_of(journey(dice, now), dice)
        await record_facts.record([event for event in coming if event.happened_at <= now])
        coming = [event for event in coming if event.happened_at > now]
        await asyncio.sleep(dice.random() * 1.4)


async def serve(dsn: str, port: int) -> None:
    """Fill the database, then serve the console until cancelled."""
    await migrate(dsn, "analytics")
    database = Database(dsn, service="analytics")
    await database.start()
    queries, record_facts = (
        Queries(PostgresFactQueries(database), SystemClock()),
        RecordFacts(PostgresFacts(database)),
    )
    dice = random.Random(uuid4().int)
    events = afternoon(dice, datetime.now(UTC))
    for start in range(0, len(events), 500):
        await record_facts.record(events[start : start + 500])
    streams = LiveFunnel(queries, subscribers_count=8)
    server = HttpServer(http_app(queries, streams, guard_of(), health=[]), host="127.0.0.1", port=port)
    await server.start()
    print(f"console: http://127.0.0.1:{port}/", flush=True)  # noqa: T201 - the one line a person waits for
    try:
        await live(record_facts, dice)
    finally:
        await streams.stop()
        await server.stop()
        await database.stop()


def main() -> None:
    """Run until Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="garbo-demo-") as home:
        Path(home).chmod(0o755)
        postgres = OwnPostgres(home=Path(home) / "postgres")
        postgres.start()
        try:
            asyncio.run(serve(postgres.dsn(), int(sys.argv[1]) if len(sys.argv) > 1 else 8081))
        except KeyboardInterrupt:
            pass
        finally:
            postgres.stop()


if __name__ == "__main__":
    main()
