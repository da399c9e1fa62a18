"""By which names a server may be asked."""

import socket
from collections.abc import AsyncIterator
from typing import Final

import pytest

from garbo.common.runtime.door.hosts import AllowedHosts
from libs.common.tests.support.raw_http import Served, echo, serving

OWN: Final = socket.gethostname().encode()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(echo, hosts=AllowedHosts(("ingest", "api.shop.example."))) as running:
        yield running


def request(*hosts: bytes, target: bytes = b"/", version: bytes = b"1.1") -> bytes:
    lines = b"".join(b"Host: %s\r\n" % host for host in hosts)
    return b"GET %s HTTP/%s\r\n%sConnection: close\r\n\r\n" % (target, version, lines)


@pytest.mark.parametrize(
    "host",
    [
        *(b"localhost", b"LocalHost:8080", b"localhost.", b"localhost.:14080", b"localhost:"),
        *(b"127.0.0.1", b"127.0.0.1:80", b"10.244.1.7:8080", b"[::1]", b"[::1]:8080", b"[2001:DB8::1]"),
        *(OWN, OWN + b":8080", b"ingest", b"INGEST:8080", b"api.shop.example", b"api.shop.example.:443"),
    ],
)
async def test_name_of_ours_is_answered(served: Served, host: bytes) -> None:
    assert (await served.asks(request(host))).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "host",
    [
        *(b"evil.test", b"evil.test:14081", b"EVIL.test.", b"localhost.evil.test", b"127.0.0.1.evil.test"),
        *(b"evil-localhost", b"sub.ingest", b"xingest", b"api.shop.example.evil.test", b"2130706433"),
        *(b"0x7f.1", b"127.1", b"0177.0.0.1", b"router", b"1.2.3.4.5", b"app.localhost"),
    ],
)
async def test_another_name_is_misdirected(served: Served, host: bytes) -> None:
    answer = await served.asks(request(host))
    assert answer.startswith(b"HTTP/1.1 421 Misdirected Request")
    assert b"GARBO_ALLOWED_HOSTS" in answer


@pytest.mark.parametrize(
    "hosts",
    [
        pytest.param((), id="none"),
        pytest.param((b"",), id="empty"),
        pytest.param((b"localhost", b"localhost"), id="the same twice"),
        pytest.param((b"localhost", b"evil.test"), id="ours, then another"),
        pytest.param((b"evil.test", b"localhost"), id="another, then ours"),
        pytest.param((b"localhost, evil.test",), id="list"),
        pytest.param((b"user@localhost",), id="user"),
        pytest.param((b"localhost:99999",), id="port too high"),
        pytest.param((b"localhost:80:80",), id="two ports"),
        pytest.param((b"localhost:+80",), id="port with a sign"),
        pytest.param((b"localhost/evil",), id="path"),
        pytest.param((b"http://localhost",), id="scheme"),
        pytest.param((b"::1",), id="IPv6 without brackets"),
        pytest.param((b".",), id="dot"),
        pytest.param(("localhost٨".encode(),), id="not ASCII"),
        pytest.param((b"a" * 300,), id="long"),
    ],
)
async def test_what_is_no_single_host_is_a_bad_request(served: Served, hosts: tuple[bytes, ...]) -> None:
    assert (await served.asks(request(*hosts))).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"http://localhost/x", b"200"),
        (b"http://127.0.0.1:8080/x", b"200"),
        (b"http://evil.test/", b"421"),
        (b"http://evil.test:8080/", b"421"),
        (b"https://EVIL.test/", b"421"),
        (b"//evil.test/", b"200"),
        (b"evil.test:443", b"400"),
    ],
)
async def test_whole_address_as_target_counts_like_a_host(
    served: Served, target: bytes, status: bytes
) -> None:
    assert (await served.asks(request(b"localhost", target=target))).split(b" ")[1] == status


async def test_the_application_sees_the_host_of_the_whole_address(served: Served) -> None:
    answer = await served.asks(request(b"localhost:1", target=b"http://[::1]:8080/"))
    assert b"x-host: [::1]:8080" in answer


async def test_http_1_0_may_name_no_host_but_not_a_wrong_one(served: Served) -> None:
    assert b" 200 " in await served.asks(request(version=b"1.0"))
    assert b" 421 " in await served.asks(request(b"evil.test", version=b"1.0"))
