"""The guarded fetch on real sockets, against hosts and name servers that lie."""

import asyncio
import ssl
from pathlib import Path

import pytest

from garbo.sender.ports.fetches import FetchFailed, FetchRefused
from services.sender.tests.support.lying_hosts import (
    HOST,
    LINK,
    OPEN_HERE,
    PRIVATE_HERE,
    Certified,
    Names,
    Serve,
    a_fetch,
    a_host,
    from_a_host,
    read,
    says,
    serving,
)
from tests.support.secure_kafka import Authority


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    folder: Path = tmp_path_factory.mktemp("fetch")
    authority = Authority(folder / "ours")
    return Certified(
        serving(authority, HOST),
        ssl.create_default_context(cafile=str(authority.cert)),
        serving(authority, "other.example.com"),
    )


async def refused(serve: Serve, certified: Certified) -> str:
    """Fetch from a host that behaves so, and give the word why it was not to be had."""
    async with from_a_host(serve, certified) as (host, fetch):
        with pytest.raises(FetchRefused) as why:
            await read(fetch)
        assert len(host.heads) == 1
    return why.value.why


async def test_a_file_is_had_by_the_hosts_name_at_the_address_that_was_looked_at(
    certified: Certified,
) -> None:
    async with a_host(says("200 OK\r\ncontent-type: Image/PNG; x=1", b"a file"), certified.server) as host:
        names = Names(host.port, [[OPEN_HERE]])
        async with (
            a_fetch(names, certified.client) as fetch,
            fetch.get(LINK, most_bytes=6, within_s=20, headers={"authorization": "x"}) as found,
        ):
            assert found.mime_type == "image/png"
            assert [part async for part in found.parts()] == [b"a file"]
    head = host.heads[0].lower().split("\r\n")
    assert head[0] == "get /a.png http/1.1"
    assert {f"host: {HOST}", "accept-encoding: identity", "authorization: x"} <= set(head)
    assert (host.names, names.asked) == ([HOST], 1)


PRIVATE = {
    "one private": [PRIVATE_HERE],
    "one private among public ones": [OPEN_HERE, "10.0.0.1"],
    "metadata": ["169.254.169.254"],
    "mapped": ["::ffff:127.0.0.1"],
    "loopback of the new Internet": ["::1"],
    "6to4": ["2002:7f00:1::1"],
}


@pytest.mark.parametrize("addresses", PRIVATE.values(), ids=PRIVATE)
async def test_no_request_leaves_for_an_address_that_is_not_public(
    addresses: list[str], certified: Certified
) -> None:
    async with a_host(says("200 OK", b"secret"), None, PRIVATE_HERE) as inside:
        async with a_fetch(Names(inside.port, [addresses]), certified.client) as fetch:
            with pytest.raises(FetchRefused, match="address_not_public"):
                await read(fetch)
        assert inside.heads == []


async def test_a_name_that_turns_private_is_not_followed_there(certified: Certified) -> None:
    async with (
        a_host(says("200 OK", b"a file"), certified.server) as outside,
        a_host(says("200 OK", b"secret"), None, PRIVATE_HERE) as inside,
    ):
        names = Names(outside.port, [[OPEN_HERE], [PRIVATE_HERE], [OPEN_HERE]])
        async with a_fetch(names, certified.client) as fetch:
            assert await read(fetch) == b"a file"
            assert names.asked == 1  # what it says next is not heard for this connection
            names.port = inside.port
            with pytest.raises(FetchRefused, match="address_not_public"):
                await read(fetch)
            names.port = outside.port
            assert await read(fetch) == b"a file"
        assert inside.heads == []


async def test_a_host_without_the_names_certificate_is_not_asked(certified: Certified) -> None:
    async with a_host(says("200 OK", b"a file"), certified.stranger) as host:
        async with a_fetch(Names(host.port, [[OPEN_HERE]]), certified.client) as fetch:
            with pytest.raises(FetchFailed, match="certificate"):
                await read(fetch)
        assert host.heads == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(status: int, certified: Certified) -> None:
    async with a_host(says("200 OK", b"secret"), None, PRIVATE_HERE) as inside:
        there = f"{status} Go\r\nlocation: http://{PRIVATE_HERE}:{inside.port}/"
        assert await refused(says(there), certified) == "redirected"
        assert await refused(says(f"{status} Go\r\nlocation: {LINK}"), certified) == "redirected"
        assert inside.heads == []


ANSWERS = {
    "gone": ("404 Not Found", "http_404"),
    "not for us": ("403 Forbidden", "http_403"),
    "a part": ("206 Partial", "http_206"),
    "nothing": ("204 No Content", "http_204"),
    "packed": ("200 OK\r\ncontent-encoding: gzip", "packed"),
    "too large by its own word": ("200 OK\r\ncontent-length: 1001", "too_large"),
}


@pytest.mark.parametrize(("head", "why"), ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_that_is_no_file_is_refused(head: str, why: str, certified: Certified) -> None:
    assert await refused(says(head), certified) == why


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
async def test_an_answer_that_may_pass_is_told_apart(status: int, certified: Certified) -> None:
    async with from_a_host(says(f"{status} Later\r\nretry-after: 7"), certified) as (_, fetch):
        with pytest.raises(FetchFailed, match=f"http_{status}") as failed:
            await read(fetch)
    assert failed.value.after_s == 7


async def test_an_endless_body_is_read_no_further_than_it_may_be(certified: Certified) -> None:
    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:
            writer.write(bytes(1000))
            await writer.drain()

    async with from_a_host(endless, certified) as (host, fetch):
        with pytest.raises(FetchRefused, match="too_large"):
            await read(fetch, most=100_000)
        await asyncio.wait_for(host.gone.wait(), 20)


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"], ids=["head", "body"])
async def test_a_host_that_drips_is_left_when_the_time_is_over(head: bytes, certified: Certified) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        await writer.drain()
        await reader.read()

    async with from_a_host(slow, certified) as (host, fetch):
        with pytest.raises(FetchFailed, match="timeout"):
            await read(fetch, within_s=0.5)
        await asyncio.wait_for(host.gone.wait(), 20)


async def test_a_body_that_breaks_off_is_no_file(certified: Certified) -> None:
    async with from_a_host(says("200 OK\r\ncontent-length: 9", b"half"), certified) as (_, fetch):
        with pytest.raises(FetchFailed, match="unreachable"):
            await read(fetch)


async def test_who_does_not_exist_or_does_not_listen_may_be_there_later(certified: Certified) -> None:
    async with a_host(says("200 OK"), certified.server) as host:
        closed = host.port
    for addresses in ([], [OPEN_HERE]):
        async with a_fetch(Names(closed, [addresses]), certified.client) as fetch:
            with pytest.raises(FetchFailed, match="unreachable"):
                await read(fetch)


async def test_what_the_reader_raises_is_the_readers(certified: Certified) -> None:
    async with from_a_host(says("200 OK", b"a file"), certified) as (_, fetch):
        for error in (OSError("the disk is full"), TimeoutError("the store is slow")):
            with pytest.raises(type(error)) as raised:
                async with fetch.get(LINK, most_bytes=6, within_s=20):
                    raise error
            assert raised.value is error


async def test_an_origin_that_is_vouched_for_is_fetched_where_it_is() -> None:
    async with a_host(says("200 OK", b"a file"), None, PRIVATE_HERE) as host:
        origin = f"http://{PRIVATE_HERE}:{host.port}"
        async with a_fetch(Names(0, [[]]), tls=True, origin=origin) as fetch:
            assert await read(fetch, f"{origin}/a.png") == b"a file"
            with pytest.raises(FetchRefused, match="not_https"):
                await read(fetch, f"http://{PRIVATE_HERE}/a.png")


async def test_closed_it_fetches_nothing() -> None:
    async with a_fetch(Names(0, [[OPEN_HERE]]), tls=True) as fetch:
        await fetch.stop()
        with pytest.raises(FetchFailed, match="stopping"):
            await read(fetch)
