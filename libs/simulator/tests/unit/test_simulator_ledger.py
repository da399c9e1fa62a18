from pathlib import Path

import orjson

from garbo.simulator.assets.templates import Template
from garbo.simulator.graph.requests import Send
from garbo.simulator.ledger import Ledger

PROMO = Template("sale", "en", "MARKETING", 0)


def send(n: int, *, opaque: str | None = None) -> Send:
    return Send(f"+39333123456{n}", "template", PROMO, opaque, None)


def fill(ledger: Ledger, count: int) -> None:
    for n in range(count):
        ledger.append(send(n, opaque=f"m{n // 2}"), number_id="1001", wamid=f"wamid.{n}", at_us=n)


async def test_entries_come_in_order_after_a_number() -> None:
    ledger = Ledger()
    fill(ledger, 5)
    assert [e["seq"] for e in orjson.loads(ledger.entries(after=2, limit=2))] == [3, 4]
    assert orjson.loads(ledger.entries(after=5, limit=2)) == []
    assert orjson.loads(ledger.entries(after=0, limit=1))[0] == {
        "seq": 1,
        "at_us": 0,
        "number_id": "1001",
        "recipient": "+393331234560",
        "wamid": "wamid.0",
        "type": "template",
        "template": "sale",
        "category": "marketing",
        "biz_opaque": "m0",
        "ending": "answered",
        "lite": False,
    }
    await ledger.stop()


async def test_a_line_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "deep" / "ledger.jsonl")
    fill(ledger, 1)
    assert orjson.loads((tmp_path / "deep" / "ledger.jsonl").read_bytes())["wamid"] == "wamid.0"
    await ledger.stop()


async def test_counts_and_numbers_go_on_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    first = Ledger(path)
    fill(first, 4)
    await first.stop()
    with path.open("ab") as torn:
        torn.write(b'{"seq":5,"torn')
    second = Ledger(path)
    assert (len(second), second.unique_biz_opaque, second.by_category["marketing"]) == (4, 2, 4)
    assert second.append(send(9), number_id="1001", wamid="wamid.9", at_us=9) == 5
    assert [orjson.loads(line)["seq"] for line in path.read_bytes().splitlines()] == [1, 2, 3, 4, 5]
    await second.stop()


async def test_nobody_else_reads_the_ledger_nor_one_that_was_there_before(tmp_path: Path) -> None:
    old = tmp_path / "old.jsonl"
    old.touch(mode=0o644)
    for path in (tmp_path / "new" / "ledger.jsonl", old):
        ledger = Ledger(path)
        fill(ledger, 1)
        await ledger.stop()
        assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
