"""All attacks at once on a real process with real Kafka, while the platform tells something each 100 ms."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Final

import orjson
import pytest

from garbo.common.business import Business
from libs.common.tests.support.raw_http import Served
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
    slowed: float = 1
    """How many times as long all took for want of processors, here and there: others share them."""
    most_rss_mb: float = 0

    def line(self, done: Mapping[str, int]) -> str:
        """Say it in one line."""
        p99 = sorted(self.took_ms)[int(len(self.took_ms) * 0.99)]
        return (
            f"{len(self.statuses)} signed webhooks: longest {max(self.took_ms):.0f} ms, p99 {p99:.0f} ms;"
            f" most memory {self.most_rss_mb:.0f} MB; {self.slowed:.1f} times slowed; attacks {dict(done)}"
        )


def rss_mb(pid: int) -> float:
    """Read how much memory a process has now."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


class Shortage:
    """How much longer processes took because others had the processors."""

    def __init__(self, *pids: int) -> None:
        self._began = {pid: self._read(pid) for pid in pids}

    def slowed(self) -> float:
        """Give 1 where nobody waited, 2 where one of the processes waited as long as it worked, and so on."""
        now = {pid: self._read(pid) for pid in self._began}
        spent = [
            (now[pid][0] - worked, now[pid][1] - waited) for pid, (worked, waited) in self._began.items()
        ]
        return 1 + sum(waited / max(worked, 1) for worked, waited in spent)

    @staticmethod
    def _read(pid: int) -> tuple[int, int]:
        worked_ns, waited_ns, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
        return int(worked_ns), int(waited_ns)


async def tell(ingest: Ingest, seen: Seen) -> None:
    """Tell something on a connection of its own, as the platform does, and note how it went."""
    body = orjson.dumps(fresh_webhook()[1])
    name, value = signed(body, ingest.secret)
    head = (
        f"POST /webhooks/whatsapp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n{name}: {value}\r\n\r\n"
    )
    began = perf_counter()
    caller = await Served(ingest.port).call()
    answer = await caller.asks(head.encode() + body)
    caller.hang_up()
    seen.took_ms.append((perf_counter() - began) * 1000)
    seen.statuses.append(int(answer[9:12] or 0))


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
            shortage = Shortage(ingest.process.pid, os.getpid())
            await tell_all_the_while(ingest, seen)
            seen.slowed = shortage.slowed()
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
