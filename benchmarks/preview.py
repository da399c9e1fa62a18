"""decisions:preview over real PostgreSQL: one request for a thousand people, and one alone.

    python -m benchmarks.preview

The whole call but for the socket: body read, one read transaction, a thousand decisions, answer written.
"""

import asyncio
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx
from starlette.types import ASGIApp

from benchmarks.requests import promo
from benchmarks.servers import HERE
from garbo.cli.local.postgres import OwnPostgres
from garbo.cli.local.testing import SharedPostgres
from garbo.common.business import Business, load_business
from garbo.common.runtime.migrations import migrate
from garbo.common.runtime.postgres import Database
from garbo.router.flow.ask import Asked
from garbo.router.flow.directory import Directory
from garbo.router.flow.means import Means
from garbo.router.flow.policies import Policies
from garbo.router.flow.previewing import PreviewRequests
from garbo.router.flow.requests import DecideRequests
from garbo.router.inbound.http.api import http_app
from garbo.router.inbound.http.decisions import Decisions
from garbo.router.inbound.policy_file.load import load_policy
from garbo.router.outbound.postgres import PostgresStore
from garbo.router.outbound.postgres_reading import PostgresPreviewReader
from garbo.router.testing.memory import CountingMeter, RecordingAnnouncer

PEOPLE = 10_000
AT_ONCE = 1_000
BATCH = 500
ROUNDS = 100
KEY = "bench-preview-key"
HASH_KEY = b"0" * 32


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="garbo-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        postgres = OwnPostgres(home=folder / "postgres")
        postgres.start()
        try:
            asyncio.run(_measure(SharedPostgres(postgres.dsn()).database()))
        finally:
            postgres.stop()


async def _measure(dsn: str) -> None:
    await migrate(dsn, "router")
    database = Database(dsn, service="bench", size=4)
    await database.start()
    try:
        business = load_business(HERE / "business.yaml")
        store = PostgresStore(database)
        await store.seed(business)
        means = Means(
            store=store,
            announcer=RecordingAnnouncer(),
            meter=CountingMeter(),
            policies=Policies(load_policy(HERE / "policy.yaml")),
            directory=Directory(business),
            hash_key=HASH_KEY,
        )
        decide = DecideRequests(means)
        for start in range(0, PEOPLE, BATCH):
            await decide.decide([Asked(promo(start + n)) for n in range(BATCH)])
        previews = PreviewRequests(means, PostgresPreviewReader(database))
        app = http_app(_with_key(business), [Decisions(previews=previews, store=store)], health=[])
        body = promo(0).model_dump(mode="json", exclude={"client", "number"}, exclude_none=True)
        await _print(app, "1,000 people", [_asked(body, n) for n in range(ROUNDS)])
        await _print(app, "1 person", [body] * (ROUNDS * 5))
    finally:
        await database.stop()


async def _print(app: ASGIApp, what: str, bodies: list[dict[str, Any]]) -> None:
    took_ms: list[float] = []
    headers = {"Authorization": f"Bearer {KEY}"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://router", headers=headers) as client:
        for body in bodies:
            began_s = time.perf_counter()
            answer = await client.post("/v1/decisions:preview", json=body)
            took_ms.append((time.perf_counter() - began_s) * 1000)
            assert answer.status_code == httpx.codes.OK, answer.text[:300]
    cuts = quantiles(took_ms, n=100)
    print(f"{what:<14} p50 {cuts[49]:7.1f} ms   p99 {cuts[98]:7.1f} ms   {len(bodies)} calls")


def _asked(body: dict[str, Any], place: int) -> dict[str, Any]:
    people = [{"phone": f"+39333{(place * AT_ONCE + n) % (PEOPLE * 2):07d}"} for n in range(AT_ONCE)]
    return {**body, "to": people}


def _with_key(business: Business) -> Business:
    client = business.clients[0].model_copy(
        update={"keys_sha256": (sha256(KEY.encode()).hexdigest(),), "scopes": ("read",)}
    )
    return business.model_copy(update={"clients": (client,)})


if __name__ == "__main__":
    main()
