"""`garbo dlq` on a real broker: what was refused is seen, tried again once, and handled or refused anew."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from garbo.cli import operators
from garbo.cli.dlq import commands
from garbo.cli.main import app
from garbo.common.errors import Reject
from garbo.common.events.operators import OperatorActed
from garbo.common.events.topics import OPERATOR_ACTED
from garbo.common.events.wire import decode
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
        await kafka.create_topics([OPERATOR_ACTED])
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
    return f"{result.output}{result.exception or ''}"


async def test_what_was_refused_is_seen_and_tried_again_once(stand: Stand) -> None:
    flow = Mended()
    await stand.write_to(0, *(note(n) for n in range(6)), b"{")
    await stand.write_to(0, CUT, compressed="gzip")
    async with stand.delivering(stand.lane(flow)):
        await until(lambda: stand.all_committed(8))

        listed = await typed(stand, "list", stand.service)
        assert f"3  {stand.topic.name}  odd  by -" in listed
        assert "the oldest for 0 min" in listed
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
        listed = await typed(stand, "list", stand.service)
        assert "odd" not in listed
        assert "4 were tried again" in listed
    attempts = sorted(
        int(dict(r.headers)["garbo-attempt"] or b"0") for r in await stand.read(stand.again.name)
    )
    assert attempts == [1, 1, 1, 2]
    assert sorted(flow.numbers) == [0, 1, 2, 3, 4, 5]


async def test_what_is_discarded_is_asked_about_no_more(stand: Stand) -> None:
    flow = Mended()
    await stand.write_to(0, *(note(n) for n in range(6)))
    async with stand.delivering(stand.lane(flow)):
        await until(lambda: stand.all_committed(6))
        chosen = ("discard", stand.service, "--reason", "odd", "--offset", "1", "--why", "sent anew")
        assert "1 letters would be discarded; 0 were" in await typed(stand, *chosen)
        assert await acted(stand) == []
        assert "1 letters are discarded" in await typed(stand, *chosen, "--yes", "--by", "anna")
        (did,) = await acted(stand)
        assert (did.action, did.by, did.why) == ("letters_discarded", "anna", "sent anew")
        assert did.choice == "--offset 1 --reason odd"
        assert len(did.letters) == 1

        assert "0 letters are discarded; 1 were" in await typed(stand, *chosen, "--yes")
        listed = await typed(stand, "list", stand.service)
        assert f"2  {stand.topic.name}  odd" in listed
        assert "1 were discarded" in listed

        flow.mended = True
        done = await typed(stand, "redrive", stand.service, "--yes")
        assert "2 letters to be tried again; 1 were before" in done
        await until(lambda: _numbers(flow), lambda numbers: numbers == [0, 2, 3, 4, 5])
        told = json.loads(await typed(stand, "list", stand.service, "--json"))
        assert told == {"waiting": [], "settled": {"tried again": 2, "discarded": 1}}


async def test_contents_are_shown_to_whoever_is_put_on_record(stand: Stand) -> None:
    await stand.write_to(0, b"{torn")
    async with stand.delivering(stand.lane(Mended())):
        await until(lambda: stand.all_committed(1))
    assert "torn" not in await typed(stand, "show", stand.service)
    assert await acted(stand) == []
    assert "{torn" in await typed(stand, "show", stand.service, "--values", "--by", "anna")
    assert [(did.action, did.by) for did in await acted(stand)] == [("letters_shown", "anna")]
    told = json.loads(await typed(stand, "list", stand.service, "--json"))
    (heap,) = told["waiting"]
    assert (heap["reason"], heap["count"], heap["cannot_be_tried_again"]) == ("not_json", 1, 0)
    assert 0 <= heap["newest_s"] <= heap["oldest_s"] < 600


async def test_who_cannot_be_put_on_record_sees_and_does_nothing(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A topic that does not exist is refused as one without the right to write it is."""
    await stand.write_to(0, b"{torn")
    async with stand.delivering(stand.lane(Mended())):
        await until(lambda: stand.all_committed(1))
    nowhere = replace(OPERATOR_ACTED, name=f"garbo.{stand.service}.nowhere.v1")
    monkeypatch.setattr(operators, "OPERATOR_ACTED", nowhere)
    for words in (("show", stand.service, "--values"), ("redrive", stand.service, "--yes")):
        said = await typed(stand, *words, code=1)
        assert "so it is not done" in said
        assert "torn" not in said
    assert await stand.read(stand.again.name) == []


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
    assert "has no dead letters that wait" in await typed(stand, "list", stand.service)


async def acted(stand: Stand) -> list[OperatorActed]:
    """Give what operators did with this service's letters."""
    values = [record.value or b"" for record in await stand.read(OPERATOR_ACTED.name)]
    did = [decode(OPERATOR_ACTED, value) for value in values]
    return [one for one in did if one.service == stand.service]


async def _letters(stand: Stand) -> int:
    return len(await stand.read(stand.dead.name))


async def _numbers(flow: Mended) -> list[int]:
    return sorted(flow.numbers)
