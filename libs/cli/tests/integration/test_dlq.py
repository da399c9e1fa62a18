"""`garbo dlq` on a real broker: what was refused is seen, tried again once, and handled or refused anew."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from garbo.cli.dlq import commands
from garbo.cli.main import app
from garbo.common.errors import Reject
from garbo.common.runtime.deliver import Delivered
from libs.common.tests.support.delivery import Noted, Stand, note
from libs.common.tests.support.waiting import until
from tests.support.servers import SharedKafka

pytestmark = pytest.mark.integration
CUT = b" " * 6 * 1024 * 1024


@pytest_asyncio.fixture(loop_scope="session")
async def stand(kafka: SharedKafka, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stand]:
    stand = Stand(kafka.bootstrap_servers)
    monkeypatch.setattr(commands, "SERVICES", (stand.service, "ingest"))
    try:
        await stand.start()
        yield stand
    finally:
        await stand.stop()


class Mended:
    """A flow that refuses odd numbers until it is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.numbers: list[int] = []

    async def __call__(self, batch: Sequence[Delivered[Noted]]) -> None:
        if not self.mended and any(record.event.number % 2 for record in batch):
            raise Reject("odd")
        self.numbers += [record.event.number for record in batch]


async def typed(stand: Stand, *words: str, code: int = 0) -> str:
    env = {"GARBO_KAFKA_BOOTSTRAP_SERVERS": stand.kafka.bootstrap_servers}
    result = await asyncio.to_thread(CliRunner().invoke, app, ["dlq", *words], env=env)
    assert result.exit_code == code, result.output
    return result.output or str(result.exception)


async def test_what_was_refused_is_seen_and_tried_again_once(stand: Stand) -> None:
    flow = Mended()
    await stand.write_to(0, *(note(n) for n in range(6)), b"{")
    await stand.write_to(0, CUT, compressed="gzip")
    async with stand.delivering(stand.lane(flow)):
        await until(lambda: stand.all_committed(8))

        listed = await typed(stand, "list", stand.service)
        assert f"3  {stand.topic.name}  odd  by -" in listed
        assert "(1 cannot be tried again)" in listed

        shown = await typed(stand, "show", stand.service, "--reason", "odd", "--offset", "3")
        assert f"from {stand.topic.name} 0 3  odd" in shown
        assert "number" not in shown

        dry = await typed(stand, "redrive", stand.service, "--reason", "odd")
        assert "3 letters would be tried again; 0 were before" in dry
        assert await stand.read(stand.again.name) == []

        done = await typed(stand, "redrive", stand.service, "--reason", "odd", "--offset", "1", "--yes")
        assert "1 letters were written" in done
        await until(lambda: _letters(stand), lambda count: count == 6)
        assert (await stand.read(stand.dead.name))[-1].headers is not None

        flow.mended = True
        done = await typed(stand, "redrive", stand.service, "--reason", "odd", "--yes")
        assert "3 letters to be tried again; 1 were before, and are passed over" in done
        await until(lambda: _numbers(flow), lambda numbers: numbers == [0, 1, 2, 3, 4, 5])
        again = await typed(stand, "redrive", stand.service, "--reason", "odd", "--yes")
        assert "0 letters to be tried again; 4 were before" in again
    attempts = sorted(
        int(dict(r.headers)["garbo-attempt"] or b"0") for r in await stand.read(stand.again.name)
    )
    assert attempts == [1, 1, 1, 2]
    assert sorted(flow.numbers) == [0, 1, 2, 3, 4, 5]


async def test_letter_that_is_cut_is_refused_in_one_line(stand: Stand) -> None:
    flow = Mended()
    await stand.write_to(0, CUT, compressed="gzip")
    async with stand.delivering(stand.lane(flow)):
        await until(lambda: stand.all_committed(1))
    for words in ([], ["--yes"]):
        said = await typed(stand, "redrive", stand.service, *words)
        assert "is cut: of 6291456 bytes it holds the first 65536" in said
        assert "1 letters cannot be tried again: ask their publishers to send anew" in said
    assert await stand.read(stand.again.name) == []


async def test_what_is_typed_wrong_is_told(stand: Stand) -> None:
    assert "there is no service 'rooter'" in await typed(stand, "list", "rooter", code=1)
    assert "give a span such as" in await typed(stand, "show", stand.service, "--since", "now", code=1)
    assert "has no dead letters" in await typed(stand, "list", stand.service)


async def _letters(stand: Stand) -> int:
    return len(await stand.read(stand.dead.name))


async def _numbers(flow: Mended) -> list[int]:
    return sorted(flow.numbers)
