import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from libs.common.tests.support.delivery import Stand, note
from libs.common.tests.support.waiting import until

pytestmark = pytest.mark.integration

PROGRAM = "libs.common.tests.integration.runtime.member_program"


class Journal:
    """What the processes say they did, in order."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[tuple[str, int]]:
        if not self.path.exists():
            return []
        words = (line.split() for line in self.path.read_text(encoding="utf-8").splitlines())
        return [(what, int(number)) for what, number in words]

    def done(self) -> list[int]:
        return [number for what, number in self.lines() if what == "done"]

    def in_the_middle(self, at_least: int) -> bool:
        """Some are done, and some of a batch are not."""
        return len(set(self.done())) >= at_least and bool(self.begun_and_not_done())

    def begun_and_not_done(self) -> set[int]:
        return {number for what, number in self.lines() if what == "begun"} - set(self.done())


@asynccontextmanager
async def member(
    stand: Stand, journal: Journal, *, each_ms: int, batch: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        PROGRAM,
        stand.kafka.bootstrap_servers,
        stand.service,
        stand.topic.name,
        stand.group,
        str(journal.path),
        str(each_ms),
        str(batch),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_kill_9_in_the_middle_of_a_batch_loses_and_skips_nothing(stand: Stand, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    await stand.write(*(note(n) for n in range(200)))
    async with member(stand, journal, each_ms=10, batch=20) as process:
        await until(partial(journal.in_the_middle, 45))
        process.send_signal(signal.SIGKILL)
        await process.wait()
    in_hand = journal.begun_and_not_done()
    assert 0 < len(in_hand) <= 20
    assert sum((await stand.committed()).values()) <= len(set(journal.done()))
    async with member(stand, journal, each_ms=1, batch=20):
        await until(lambda: stand.all_committed(200), within_s=30)
    assert set(journal.done()) == set(range(200))
    repeated = [n for n, times in Counter(journal.done()).items() if times > 1]
    assert len(repeated) <= 20, "only what the killed batch held may be done again"


async def test_sigterm_under_load_repeats_no_finished_work(stand: Stand, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    await stand.write(*(note(n) for n in range(150)))
    for stop_after in (5, 40):
        async with member(stand, journal, each_ms=60, batch=30) as process:
            await until(partial(journal.in_the_middle, stop_after))
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(20):
                assert await process.wait() == 0
        assert not journal.begun_and_not_done(), "the batch in hand is finished"
        assert sum((await stand.committed()).values()) == len(journal.done())
    async with member(stand, journal, each_ms=1, batch=30):
        await until(lambda: stand.all_committed(150))
    assert sorted(journal.done()) == list(range(150))
