"""Answers that are none: each before and after acceptance; statuses at odd times; all of it by seed."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import pytest

from garbo.simulator.graph.endings import _PAGE
from libs.common.tests.support.waiting import until
from libs.simulator.tests.support.world import (
    NUMBER,
    SLOW,
    Json,
    Running,
    graph,
    running_world,
    template,
    text,
)

PHONE: Final = "+393331234567"
GARBAGE: Final[dict[str, tuple[int, bytes | None]]] = {
    "error": (500, None),
    "gateway": (502, _PAGE),
    "html": (200, _PAGE),
    "empty": (200, b""),
    "truncated": (200, None),
    "no_messages": (200, b'{"messaging_product":"whatsapp","contacts":[]}'),
}
BROKEN: Final = ("drop", "hang", "reset", "half_body")


async def break_next(running: Running, kind: str, **more: object) -> None:
    patch = {"faults": [{"kind": kind, "next": 1, **more}]}
    assert (await running.client.patch("/control", json=patch)).status_code == 200


@pytest.mark.parametrize("accepts", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("way", GARBAGE)
async def test_an_answer_can_be_garbage_before_or_after_acceptance(
    tmp_path: Path, way: str, accepts: bool
) -> None:
    async with running_world(tmp_path) as running:
        kind = f"accept_then_{way}" if accepts else way
        await break_next(running, kind)
        answer = await running.send(template(PHONE, biz_opaque_callback_data="m.1"))
        status, body = GARBAGE[way]
        assert answer.status_code == status
        if body is not None:
            assert answer.content == body
        if way == "truncated":
            with pytest.raises(orjson.JSONDecodeError):
                orjson.loads(answer.content)
        entries = (await running.client.get("/ledger")).json()
        assert [(e["biz_opaque"], e["ending"]) for e in entries] == [("m.1", kind)] * accepts
        await until(lambda: len(running.receiver.statuses()) == 3 * accepts)
        assert (await running.send(template(PHONE))).status_code == 200


@pytest.mark.parametrize("accepts", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("way", BROKEN)
async def test_a_connection_can_break_before_or_after_acceptance(
    tmp_path: Path, way: str, accepts: bool
) -> None:
    async with running_world(tmp_path) as running:
        await break_next(running, f"accept_then_{way}" if accepts else way, hang_ms=20)
        with pytest.raises(httpx.TransportError):
            await running.send(template(PHONE))
        assert len(running.world.ledger) == accepts
        await until(lambda: len(running.receiver.statuses()) == 3 * accepts)


async def raw_post(running: Running, body: bytes, head: bytes) -> bytes:
    """Post over a bare socket; what came back until it ended. Raises ConnectionResetError."""
    url = httpx.URL(running.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        writer.write(head + body)
        await writer.drain()
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_reset_is_a_reset_and_half_a_body_is_half(tmp_path: Path) -> None:
    body = orjson.dumps(template(PHONE))
    head = (
        b"POST /v25.0/1001/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer %b\r\n"
        b"content-type: application/json\r\ncontent-length: %d\r\n\r\n"
    ) % (NUMBER.token.encode(), len(body))
    async with running_world(tmp_path) as running:
        await break_next(running, "reset")
        with pytest.raises(ConnectionResetError):
            await raw_post(running, body[:10], head)
        await break_next(running, "accept_then_half_body")
        got = await raw_post(running, body, head)
        wanted = int(got.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        came = got.partition(b"\r\n\r\n")[2]
        assert came.startswith(b'{"messaging_product"')
        assert len(came) == wanted // 2
        await break_next(running, "drop")
        assert await raw_post(running, body, head) == b""
        assert len(running.world.ledger) == 1


@pytest.mark.parametrize("how", ["fault", "ratio"])
async def test_a_status_can_be_told_before_the_answer(tmp_path: Path, how: str) -> None:
    slow = {"delays": {"sent_ms": 60_000, "delivered_ms": 60_000}}
    async with running_world(tmp_path, slow) as running:
        if how == "fault":
            await break_next(running, "statuses_first")
        else:
            await running.client.patch("/control", json={"webhooks": {"first_ratio": 1}})
        answer = await running.send(template(PHONE))
        [told] = running.receiver.statuses()
        assert (told["status"], told["id"]) == ("sent", answer.json()["messages"][0]["id"])


async def test_a_status_that_nobody_takes_holds_no_answer_for_ever(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        await running.client.patch("/control/accounts/9001", json={"subscribed": False})
        await break_next(running, "statuses_first")
        assert (await running.send(template(PHONE))).status_code == 200


async def test_statuses_come_twice_late_or_never(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        await break_next(running, "statuses_twice")
        await running.send(template(PHONE))
        await until(lambda: len(running.receiver.statuses()) == 6)
        await break_next(running, "statuses_never")
        await running.send(template(PHONE))
        assert running.world.outbox.pending == 0
        await break_next(running, "statuses_late", hang_ms=600_000)
        await running.send(template(PHONE))
        assert running.world.outbox.pending == 3
        await running.client.post("/control/quiet")
        assert len(running.receiver.statuses()) == 9
        ratios = {"never_ratio": 1, "late_ratio": 0}
        await running.client.patch("/control", json={"webhooks": ratios})
        await running.send(template(PHONE))
        assert running.world.outbox.pending == 0
        await running.client.patch("/control", json={"webhooks": {"never_ratio": 0, "late_ratio": 1}})
        await running.send(template(PHONE))
        assert running.world.outbox.pending == 3


async def test_reading_and_files_go_wrong_too(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        await break_next(running, "error", on="nodes", code=2)
        assert (await running.send(template(PHONE))).status_code == 200
        refused = await graph(running, "GET", "9001/message_templates")
        assert (refused["http"], refused["error"]["code"]) == (503, 2)
        await break_next(running, "accept_then_gateway", on="nodes")
        headers = {"authorization": f"Bearer {NUMBER.token}"}
        gone = await running.client.delete("/v25.0/9001/subscribed_apps", headers=headers)
        assert (gone.status_code, running.world.accounts.account_facts["9001"].subscribed) == (502, False)
        await break_next(running, "drop", on="media")
        with pytest.raises(httpx.TransportError):
            await running.client.get("/whatsapp_business/attachments/", headers=headers)
        bad = {"faults": [{"kind": "statuses_late", "on": "nodes", "next": 1}]}
        assert (await running.client.patch("/control", json=bad)).status_code == 400


async def test_each_number_has_its_own_latency(tmp_path: Path) -> None:
    control = {"latency": {"1002": {"ms": 600_000}, "*": {"kind": "lognormal", "ms": 2}}}
    async with running_world(tmp_path, control) as running:
        assert (await running.send(template(PHONE))).status_code == 200
        body, headers = template(PHONE), {"authorization": f"Bearer {SLOW.token}"}
        with pytest.raises(httpx.ReadTimeout):
            await running.client.post("/v25.0/1002/messages", json=body, headers=headers, timeout=0.2)


async def everything(folder: Path, seed: str) -> list[Any]:
    """Make the same calls in a world of this seed; all that was answered, written down and told."""
    faults = [
        {"kind": "error", "ratio": 0.2, "code": 131016},
        {"kind": "accept_then_truncated", "ratio": 0.2},
        {"kind": "failed_status", "ratio": 0.2, "code": 131049},
    ]
    control: Json = {
        "faults": faults,
        "undeliverable_ratio": 0.2,
        "latency": {"*": {"kind": "uniform", "to_ms": 2}},
    }
    seen: list[Any] = []
    async with running_world(folder, control, seed=seed) as running:
        for n in range(40):
            body = template(f"+39333{n:07d}") if n % 2 else text(f"+39333{n:07d}")
            answer = await running.send(body)
            seen.append(
                (answer.status_code, answer.content if answer.is_success else answer.json()["error"]["code"])
            )
        await until(lambda: not running.world.outbox.pending)
        entries = (await running.client.get("/ledger")).json()
        seen += [{name: value for name, value in e.items() if name != "at_us"} for e in entries]
        seen += sorted((s["id"], s["status"]) for s in running.receiver.statuses())
        files: dict[str, tuple[str | None, bytes]] = {
            "file": ("a.png", b"\x89PNG"),
            "messaging_product": (None, b"whatsapp"),
        }
        headers = {"authorization": f"Bearer {NUMBER.token}"}
        seen.append((await running.client.post("/v25.0/1001/media", files=files, headers=headers)).json())
    return seen


async def test_the_same_seed_and_the_same_calls_give_the_same_answers(tmp_path: Path) -> None:
    one, again = await everything(tmp_path / "1", "s"), await everything(tmp_path / "2", "s")
    assert one == again
    assert await everything(tmp_path / "3", "t") != one
    assert len({str(answer)[:4] for answer in one}) > 1


async def test_the_ledger_is_in_the_order_of_its_instants(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        await asyncio.gather(*(running.send(template(f"+39333{n:07d}")) for n in range(30)))
        at = [entry["at_us"] for entry in (await running.client.get("/ledger")).json()]
    assert at == sorted(at)
    assert len({instant % 1000 for instant in at}) > 1, "microseconds, not milliseconds"
