"""What one connection may send, and how long it may take, over raw sockets."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from starlette.types import Receive, Scope, Send

from garbo.common.runtime.door.limits import Limits
from libs.common.tests.support.raw_http import GET, Caller, Served, deaf, echo, serving
from libs.common.tests.support.waiting import until

LIMITS: Final = Limits(head_s=0.5, piece_s=0.5, drain_s=0.3, write_s=0.3, drain_bytes=4096)
HEAD: Final = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
LONG: Final = [b"a" * 100_000] * 10
POST: Final = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(echo, LIMITS) as running:
        yield running


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        pytest.param([HEAD + b"X: " + b"a" * 70_000 + b"\r\n\r\n"], 431, id="one header, whole"),
        pytest.param([HEAD + b"X: ", *[b"a" * 9000] * 8], 431, id="one header without an end"),
        pytest.param([HEAD, *[b"X: " + b"a" * 9000 + b"\r\n"] * 8], 431, id="headers without an end"),
        pytest.param([HEAD + b"X: a\r\n" * 200 + b"\r\n"], 431, id="many headers"),
        pytest.param([b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"], 431, id="target"),
        pytest.param([b"G" * 70_000], 400, id="method"),
        pytest.param([b"\r\n" * 40_000], 431, id="blank lines"),
        pytest.param([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], 400, id="TLS"),
        pytest.param([b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], 400, id="HTTP/2"),
        pytest.param(
            [HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"], 400, id="smuggling"
        ),
        pytest.param([POST + b"Transfer-Encoding: chunked\r\n\r\n1;", *LONG], 431, id="chunk extension"),
        pytest.param(
            [POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", *LONG], 431, id="endless trailer"
        ),
    ],
)
async def test_too_much_before_the_body_is_refused(served: Served, pieces: list[bytes], status: int) -> None:
    answer = await served.asks(*pieces)
    assert status_of(answer) == status
    assert b"application/problem+json" in answer
    assert b"nosniff" in answer
    assert b"no-store" in answer


async def test_headers_within_the_limit_are_taken(served: Served) -> None:
    answer = await served.asks(HEAD + b"X: " + b"a" * 60_000 + b"\r\nConnection: close\r\n\r\n")
    assert status_of(answer) == 200


async def test_every_answer_says_that_nobody_keeps_or_guesses_it(served: Served) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    async with serving(broken) as failing:
        for status, server in ((b"200", served), (b"500", failing)):
            answer = await server.asks(HEAD + b"Connection: close\r\n\r\n")
            assert status in answer
            assert answer.count(b"cache-control: no-store\r\n") == 1
            assert answer.count(b"x-content-type-options: nosniff\r\n") == 1


async def test_large_body_behind_small_headers_in_one_piece_is_no_large_header(served: Served) -> None:
    body = b"b" * 1_000_000
    head = POST + b"Connection: close\r\nContent-Length: 1000000\r\n\r\n"
    assert (await served.asks(head + body)).endswith(body)


async def test_body_of_small_chunks_is_taken_and_trailers_are_passed_over(served: Served) -> None:
    chunks = b"1\r\nx\r\n" * 50_000
    trailer = b"0\r\nHost: evil.test\r\n\r\n"
    head = POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await served.asks(head + chunks + trailer)
    assert status_of(answer) == 200
    assert b"x-host: localhost" in answer
    assert answer.endswith(b"x" * 50_000)


@pytest.mark.parametrize(
    ("pieces", "answered"),
    [
        pytest.param([], 0, id="nothing"),
        pytest.param([b"GET / HT"], 408, id="half a line"),
        pytest.param([HEAD], 408, id="half the headers"),
        pytest.param([b"\r\n"], 408, id="a blank line"),
    ],
)
async def test_whoever_does_not_finish_the_headers_is_sent_away_in_time(
    served: Served, pieces: list[bytes], answered: int
) -> None:
    began = asyncio.get_running_loop().time()
    answer = await served.asks(*pieces)
    assert status_of(answer) == answered
    assert asyncio.get_running_loop().time() - began < 3


@asynccontextmanager
async def trickling(caller: Caller, piece: bytes) -> AsyncIterator[None]:
    """Send a little, again and again."""

    async def trickle() -> None:
        while True:
            await caller.say(piece)
            await asyncio.sleep(0.05)

    task = asyncio.create_task(trickle())
    try:
        yield
    finally:
        task.cancel()


async def test_headers_that_trickle_are_sent_away_in_time(served: Served) -> None:
    caller = await served.call()
    await caller.say(HEAD)
    async with trickling(caller, b"X: a\r\n"):
        assert b" 408 " in await caller.hears()


async def test_blank_lines_between_two_requests_do_not_keep_a_connection_open(served: Served) -> None:
    caller = await served.call()
    await caller.say(GET)
    assert await caller.hears(until=b"x-host")
    async with trickling(caller, b"\r\n"):
        assert b" 408 " in await caller.hears()


async def test_body_that_nobody_wants_is_read_to_its_end_when_small() -> None:
    async with serving(deaf, LIMITS) as served:
        caller = await served.call()
        for _ in range(2):
            await caller.say(POST + b"Content-Length: 3000\r\n\r\n", b"b" * 3000)
            assert await caller.hears(until=b"no")


@pytest.mark.parametrize("body", [b"", b"b" * 100], ids=["nothing", "begun"])
async def test_body_that_stays_away_ends_the_connection(served: Served, body: bytes) -> None:
    assert status_of(await served.asks(POST + b"Content-Length: 1000\r\n\r\n" + body)) == 408


async def test_body_that_we_do_not_read_is_waited_for() -> None:
    go_on = threading.Event()

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await until(go_on.is_set)
        await echo(scope, receive, send)

    async with serving(late, LIMITS) as served:
        caller = await served.call()
        body = b"b" * 3_000_000
        saying = asyncio.create_task(
            caller.say(POST + b"Connection: close\r\nContent-Length: 3000000\r\n\r\n" + body)
        )
        hearing = asyncio.create_task(caller.hears())
        _, still = await asyncio.wait([hearing], timeout=1.5)
        assert still, "longer than a piece may take"
        go_on.set()
        await saying
        assert (await hearing).endswith(body)


@pytest.mark.parametrize("body", [b"", b"b" * 100, b"b" * 50_000], ids=["none", "begun", "large"])
async def test_body_that_nobody_wants_ends_the_connection_when_it_does_not_end(body: bytes) -> None:
    async with serving(deaf, LIMITS) as served:
        answer = await served.asks(POST + b"Content-Length: 3000000\r\n\r\n", body)
        assert status_of(answer) == 200


async def test_requests_sent_on_are_answered_in_order_up_to_a_number(served: Served) -> None:
    few = b"".join(POST + b"Content-Length: 1\r\n\r\n%d" % n for n in range(8))
    caller = await served.call()
    await caller.say(few)
    heard = await caller.hears(until=b"\r\n\r\n7")
    assert heard.count(b"200 OK") == 8
    assert heard.index(b"\r\n\r\n0") < heard.index(b"\r\n\r\n7")
    assert (await served.asks(GET * 5000)).count(b"200 OK") < 100


async def test_garbage_behind_a_request_is_not_taken_for_its_answer() -> None:
    async with serving(echo, LIMITS) as served:
        answer = await served.asks(GET + b"\x00\x01\x02")
        assert b"400" not in answer


async def test_whoever_does_not_read_the_answer_is_sent_away() -> None:
    ended = threading.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        listening = asyncio.create_task(_until_left(receive, ended))
        while not ended.is_set():
            await send({"type": "http.response.body", "body": b"b" * 65536, "more_body": True})
        await listening

    async with serving(endless, LIMITS) as served:
        caller = await served.call()
        await caller.say(GET)
        await until(ended.is_set, within_s=15)


async def _until_left(receive: Receive, ended: threading.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    ended.set()


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket", b"tls/1.3"])
async def test_upgrade_to_another_protocol_is_answered_as_plain_http(
    served: Served, caplog: pytest.LogCaptureFixture, protocol: bytes
) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: %s\r\n" % protocol
    assert status_of(await served.asks(HEAD + upgrade + b"\r\n")) == 200
    assert status_of(await served.asks(POST + upgrade + b"Content-Length: 2\r\n\r\nok")) == 400
    assert not caplog.records
