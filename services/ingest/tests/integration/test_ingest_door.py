"""All attacks at once on a real process with real Kafka, while the platform tells something each 100 ms."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Final

import httpx
import orjson
import pytest

from garbo.common.business import Business
from services.ingest.tests.support import attack
from services.ingest.tests.support.process import Ingest, SharedKafka, fresh_webhook, running_on
from services.ingest.tests.support.webhooks import signed

pytestmark = [pytest.mark.integration, pytest.mark.timeout(170)]

ATTACK_S: Final = 30.0
EVERY_S: Final = 0.1
WITHIN_MS: Final = 1000
MEMORY_LIMIT_MB: Final = 384
"""What compose gives the container."""
ELSEWHERE: Final = [f"127.0.0.{n}" for n in range(2, 12)]


@dataclass(slots=True)
class Seen:
    """What the platform met, and how large the process grew."""

    statuses: list[int] = field(default_factory=list)
    took_ms: list[float] = field(default_factory=list)
    worked_s: float = 0
    waited_s: float = 0
    most_rss_mb: float = 0

    @property
    def slowed(self) -> float:
        """How many times as long all took for want of processors: it shares them with whatever runs here."""
        return 1 + self.waited_s / max(self.worked_s, 0.001)

    def line(self, done: Mapping[str, int]) -> str:
        """Say it in one line."""
        p99 = sorted(self.took_ms)[int(len(self.took_ms) * 0.99)]
        return (
            f"{len(self.statuses)} signed webhooks: longest {max(self.took_ms):.0f} ms, p99 {p99:.0f} ms;"
            f" most memory {self.most_rss_mb:.0f} MB; worked {self.worked_s:.1f} s,"
            f" waited {self.waited_s:.1f} s for a processor; attacks {dict(done)}"
        )


def rss_mb(pid: int) -> float:
    """Read how much memory a process has now."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def processor_s(pid: int) -> tuple[float, float]:
    """Read how long a process has worked, and how long it has waited for a processor that others had."""
    worked_ns, waited_ns, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
    return int(worked_ns) / 1e9, int(waited_ns) / 1e9


async def tell(ingest: Ingest, seen: Seen) -> None:
    """Tell something on a connection of its own, as the platform does, and note how it went."""
    body = orjson.dumps(fresh_webhook()[1])
    name, value = signed(body, ingest.secret)
    began = perf_counter()
    async with httpx.AsyncClient(base_url=ingest.url, timeout=20, trust_env=False, verify=False) as http:
        try:
            status = (await http.post("/webhooks/whatsapp", content=body, headers={name: value})).status_code
        except httpx.TransportError:
            status = 0
    seen.took_ms.append((perf_counter() - began) * 1000)
    seen.statuses.append(status)


async def tell_all_the_while(ingest: Ingest, seen: Seen) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(int((ATTACK_S + 2) / EVERY_S)):
            group.create_task(tell(ingest, seen))
            seen.most_rss_mb = max(seen.most_rss_mb, rss_mb(ingest.process.pid))
            await asyncio.sleep(EVERY_S)  # the platform's own pace, not a wait


@asynccontextmanager
async def attacked(ingest: Ingest, addresses: Sequence[str]) -> AsyncIterator[dict[str, int]]:
    """Attack while the block lasts; what was done is there after it."""
    done: dict[str, int] = {}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, attack.__file__, str(ingest.port), str(ATTACK_S), *addresses),
        stdout=asyncio.subprocess.PIPE,
    )
    yield done
    said, _ = await process.communicate()
    done |= json.loads(said)


@pytest.mark.parametrize("addresses", [ELSEWHERE, ["127.0.0.1"]], ids=["ten addresses", "the same address"])
async def test_signed_webhook_is_taken_at_once_whatever_strangers_do(
    kafka: SharedKafka, ingest_business: Business, tmp_path: Path, addresses: Sequence[str]
) -> None:
    seen = Seen()
    async with running_on(kafka, tmp_path, ingest_business) as ingest:
        async with attacked(ingest, addresses) as done:
            worked_s, waited_s = processor_s(ingest.process.pid)
            await tell_all_the_while(ingest, seen)
            now_s = processor_s(ingest.process.pid)
            seen.worked_s, seen.waited_s = now_s[0] - worked_s, now_s[1] - waited_s
        lines = (tmp_path / "log").read_text().splitlines()
    print("\n" + seen.line(done))  # noqa: T201 - the figures, with pytest -s
    assert set(seen.statuses) == {200}
    assert max(seen.took_ms) < WITHIN_MS * seen.slowed
    assert seen.most_rss_mb < MEMORY_LIMIT_MB * 0.9
    assert done["flood_401"] >= attack.FLOODS
    sockets = {"silent": attack.SILENT, "stalled": attack.STALLED, "held_back": attack.HELD_BACK}
    assert all(done[name] >= count for name, count in sockets.items()), "all at once"
    refused = [line for line in lines if "refused" in line]
    assert len(refused) < 20 * ATTACK_S / 10, "one line a kind and ten seconds"
