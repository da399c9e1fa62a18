"""policies:simulate: a past of a million requests under another policy, in the process the router starts.

    python -m benchmarks.simulate [requests]

Not part of `make bench`: it takes minutes. Beside it stands the same past read and not decided.
"""

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from benchmarks.servers import HERE
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.wire import encode
from garbo.common.runtime.migrations import migrate
from garbo.router.domain.prepared_request import decision_inputs
from garbo.router.domain.request import Body, Numbers, Request
from garbo.router.domain.state import Claims, Consent, RecipientState
from garbo.router.outbound.postgres.codecs import json_bytes
from garbo.router.outbound.postgres.past import PostgresPast
from tests.support.own_servers import OwnPostgres
from tests.support.servers import SharedPostgres

PERIOD = timedelta(days=7)
REQUESTS_EACH = 5
NOBODY = UUID(int=0)
REQUEST_ID = str(UUID(int=0xFACE))
FILL = """
INSERT INTO router.decision
    (message_id, decided_on, client, request_id, body_hash, contact_id, records, facts, decided_at)
SELECT request_id, at::date, 'shop', request_id, '\\x00', contact_id, ARRAY[convert_to($3, 'UTF8')],
       convert_to(replace(replace($2, $4, request_id::text), 'campaign-0', 'campaign-' || n % 20), 'UTF8'), at
FROM (
    SELECT n, gen_random_uuid() AS request_id, md5((n / $5)::text)::uuid AS contact_id,
           $6::timestamptz + random() * $7::interval AS at
    FROM generate_series(0, $1::bigint - 1) AS n
) AS asked
"""
STRICTER = (
    "  - { id: promo-3d, type: cap, limit: 1, window: { rolling: 3d }, per: [recipient],\n"
    "      applies_to: { class: promo }, counts: { class: promo }, on_hit: { defer: 72h } }\n"
)


@dataclass(frozen=True, slots=True)
class Run:
    """One simulation as it was seen from outside."""

    report: Any
    took_s: float
    cpu_s: float
    most_mb: float


def main(requests: int) -> None:
    with tempfile.TemporaryDirectory(prefix="garbo-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        postgres = OwnPostgres(home=folder / "postgres")
        postgres.start()
        try:
            dsn = SharedPostgres(postgres.dsn()).database()
            until = datetime.now(UTC)
            asyncio.run(_fill(dsn, requests, until - PERIOD))
            read_s = asyncio.run(_read(dsn, until))
            run = _simulate(dsn, until)
        finally:
            postgres.stop()
    report, done = run.report, run.report["requests"]
    print(
        f"replayed {done:,} requests of {report['contacts']:,} people"
        f" under two policies in {run.took_s:.1f} s"
    )
    print(
        f"  {done / run.took_s:,.0f} requests/s, {done / run.cpu_s:,.0f} a second of its own CPU,"
        f" {run.most_mb:.0f} MB at most; read and not decided {done / read_s:,.0f}/s"
    )
    shift = report["messages"]["messages"]
    print(
        f"  {shift['fewer']:,} fewer, {shift['later']:,} later; agreement {report['agreement']['share']:.1%}"
    )


async def _fill(dsn: str, requests: int, since: datetime) -> None:
    await migrate(dsn, "router")
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SELECT router.make_partitions(1, current_date - 9)")
        await connection.execute(
            FILL, requests, _facts(), _record(since), REQUEST_ID, REQUESTS_EACH, since, PERIOD, timeout=600
        )
        await connection.execute("ANALYZE router.decision", timeout=60)
    finally:
        await connection.close()


async def _read(dsn: str, until: datetime) -> float:
    began_s = time.perf_counter()
    past = await PostgresPast.connect(dsn)
    async for _ in past.people(until - PERIOD, until):
        pass
    await past.close()
    return time.perf_counter() - began_s


def _simulate(dsn: str, until: datetime) -> Run:
    policy = (HERE / "policy.yaml").read_text()
    job = {
        "policy": policy.rstrip() + "\n" + STRICTER,
        "current_version": "none",
        "since": until - PERIOD,
        "until": until,
    }
    env = os.environ | {
        "GARBO_POSTGRES_DSN": dsn,
        "GARBO_POLICY": str(HERE / "policy.yaml"),
        "GARBO_CONFIG": str(HERE / "business.yaml"),
        "GARBO_HASH_KEY": "0" * 32,
        "GARBO_KAFKA_BOOTSTRAP_SERVERS": "unused:1",
    }
    began_s = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "garbo.router", "simulate"],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(orjson.dumps(job) + b"\n")
    child.stdin.flush()
    last: Any = {}
    most_mb = 0.0
    for line in child.stdout:
        last = orjson.loads(line)
        most_mb = max(most_mb, _peak_mb(child.pid))
    child.stdin.close()
    assert last.get("kind") == "report", last
    before_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    child.wait(30)
    cpu_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before_s
    return Run(last, time.perf_counter() - began_s, cpu_s, most_mb)


def _peak_mb(pid: int) -> float:
    """Read the most memory a process ever had; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next(
        (int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0
    )


def _facts() -> str:
    numbers = Numbers(asked=None, all=("1001", "1002"), care_default="1001", promo_default="1002")
    request = Request(
        message_id=None,  # type: ignore[arg-type] # not written
        request_id=UUID(REQUEST_ID),
        client="shop",
        brand="acme",
        purpose="promo",
        body=Body(form="template", category="marketing"),
        fallback=None,
        numbers=numbers,
        requested_at_us=1_780_000_000_000_000,
        campaign="campaign-0",
        tags=("sale", "summer"),
        region="IT",
        country_zones=("Europe/Rome",),
    )
    given = RecipientState(
        claims={"acme": Claims(zone="Europe/Rome")},
        consents={"acme/*/marketing": Consent(given_at_us=1_700_000_000_000_000)},
        inbound_at_us={"1001": 1_779_000_000_000_000},
    )
    return json_bytes(decision_inputs(request, given)).decode()


def _record(at: datetime) -> str:
    return encode(
        DecisionMade(
            decision_id=NOBODY,
            sequence=1,
            message_id=NOBODY,
            request_id=NOBODY,
            client="shop",
            brand="acme",
            verdict="allow",
            final=True,
            message_class="promo",
            reason="allowed",
            policy_version="sha256:" + "0" * 64,
            requested_at=at,
            decided_at=at,
        )
    ).decode()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
