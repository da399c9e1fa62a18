"""Who finds room when sockets are few, over raw sockets of several addresses of this machine."""

import asyncio
import resource
import threading
from collections.abc import Iterator
from typing import Final

import pytest
from starlette.types import Receive, Scope, Send

from garbo.common.errors import StartRefused
from garbo.common.runtime.door.descriptors import SPARE, limits_within
from garbo.common.runtime.door.limits import Limits
from garbo.common.runtime.door.metrics import SOCKETS
from garbo.common.runtime.door.peers import holder_of
from garbo.common.runtime.door.refusal import DoorRefusal
from garbo.common.runtime.http import HttpServer
from libs.common.tests.support.raw_http import GET, Caller, Served, echo, serving
from libs.common.tests.support.waiting import until
from tests.support.ports import free_ports

STRANGER: Final = "127.0.0.2"
LIMITS: Final = Limits(sockets=8, sockets_per_address=6)


async def silent(served: Served, count: int, *, address: str = STRANGER) -> list[Caller]:
    return [await served.call(address) for _ in range(count)]


async def answered(caller: Caller) -> bool:
    await caller.say(GET)
    return b"200 OK" in await caller.hears(until=b"x-host")


async def test_whoever_asks_finds_room_among_silent_sockets_of_another_address() -> None:
    async with serving(echo, LIMITS) as served:
        await silent(served, 6)
        await silent(served, 6, address="127.0.0.3")
        for _ in range(3):
            assert await answered(await served.call())


async def test_whoever_asks_finds_room_among_silent_sockets_of_the_same_address() -> None:
    async with serving(echo, LIMITS) as served:
        first, *_ = await silent(served, 40, address="127.0.0.1")
        assert await first.hears() == b""
        assert await answered(await served.call())


async def test_who_waits_longest_goes_first_and_who_just_asked_stays() -> None:
    async with serving(echo, LIMITS) as served:
        kept = await served.call()
        old, *_ = await silent(served, 3, address="127.0.0.1")
        assert await answered(kept)
        await silent(served, 3, address="127.0.0.1")
        assert await old.hears() == b""
        assert await answered(kept)


async def test_address_with_the_most_waiting_sockets_gives_one_up() -> None:
    async with serving(echo, LIMITS) as served:
        quiet = await served.call("127.0.0.4")
        first, *_ = await silent(served, 6)
        await served.call("127.0.0.5")
        await served.call("127.0.0.6")
        assert await first.hears() == b""
        assert await answered(quiet)


async def test_whoever_asks_is_told_when_all_sockets_are_at_work() -> None:
    working, go_on = threading.Semaphore(0), threading.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        working.release()
        await until(go_on.is_set)
        await echo(scope, receive, send)

    async with serving(slow, LIMITS) as served:
        callers = await silent(served, 6, address="127.0.0.1")
        for caller in callers:
            await caller.say(GET)
            await asyncio.to_thread(working.acquire, timeout=5)
        assert b"503 Service Unavailable" in await served.asks()
        other = await served.call(STRANGER)
        await other.say(GET)
        await asyncio.to_thread(working.acquire, timeout=5)
        go_on.set()
        for caller in (*callers, other):
            assert b"200 OK" in await caller.hears(until=b"x-host")


class Broken:
    """A connection that cannot be looked at."""

    holder = STRANGER

    def refuse(self, refusal: DoorRefusal) -> None:
        raise AssertionError(refusal)

    def overdue(self, now_s: float) -> DoorRefusal | None:
        raise ZeroDivisionError(now_s)


async def test_server_whose_connections_nobody_looks_after_has_failed() -> None:
    (port,) = free_ports(1)
    server = HttpServer(echo, host="127.0.0.1", port=port)
    await server.start()
    broken = Broken()
    server._connections.enter(broken)
    try:
        async with asyncio.timeout(5):
            assert isinstance(await server.wait_failed(), ZeroDivisionError)
    finally:
        server._connections.leave(broken)
        await server.stop()


async def test_sockets_are_counted_back_to_none() -> None:
    before = SOCKETS._value.get()
    async with serving(echo, LIMITS) as served:
        await silent(served, 20)
        await served.asks(GET.replace(b"GET", b"G T"))
        assert SOCKETS._value.get() > before
    await until(SOCKETS._value.get, lambda count: count == before, within_s=5)


@pytest.mark.parametrize(
    ("peer", "holder"),
    [
        (("10.0.0.1", 1), "10.0.0.1"),
        (("::ffff:10.0.0.1", 1), "10.0.0.1"),
        (("2001:db8:1:2:3:4:5:6", 1, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 1, 0, 2), "fe80::/64"),
        (None, ""),
    ],
)
def test_limit_is_shared_by_who_is_one_customer(peer: tuple[object, ...] | None, holder: str) -> None:
    assert holder_of(peer) == holder


@pytest.fixture
def open_files() -> Iterator[tuple[int, int]]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_soft_limit_of_open_files_is_raised_for_the_sockets(open_files: tuple[int, int]) -> None:
    _, hard = open_files
    resource.setrlimit(resource.RLIMIT_NOFILE, (600, hard))
    assert limits_within(Limits(sockets=1000)).sockets == 1000
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1000 + SPARE
    fewer = limits_within(Limits(sockets=hard))
    assert (fewer.sockets, fewer.sockets_per_address) == (hard - SPARE, 500)


def test_process_that_may_open_next_to_nothing_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (200, 200))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    with pytest.raises(StartRefused, match="ulimit -n"):
        limits_within(Limits())
