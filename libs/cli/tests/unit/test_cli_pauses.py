"""`garbo pause|resume|pauses`, against the sender's own API over switches in memory."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from garbo.cli.main import app
from garbo.cli.pauses import end_of
from garbo.common.errors import StartRefused
from garbo.sender.inbound.http import http_app
from garbo.sender.inbound.pauses import PausesByHand
from services.sender.tests.support.switches import BUSINESS, NO_FILES, MemorySwitches

Run = Callable[..., Result]


@pytest.fixture
def switches() -> MemorySwitches:
    return MemorySwitches()


@pytest.fixture
def run(switches: MemorySwitches, monkeypatch: pytest.MonkeyPatch) -> Run:
    sender = http_app(BUSINESS, PausesByHand(switches, switches), NO_FILES, health=())

    def request(method: str, url: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's options
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(sender)
            async with httpx.AsyncClient(transport=transport, base_url="http://sender") as client:
                return await client.request(method, url, json=more["json"], headers=more["headers"])

        return asyncio.run(ask())

    monkeypatch.setattr(httpx, "request", request)
    monkeypatch.setenv("GARBO_URL_SENDER", "http://sender")
    monkeypatch.setenv("GARBO_API_KEY", "a-key-of-ops")
    return lambda *words: CliRunner().invoke(app, words)


def test_what_is_paused_is_listed_and_resumed(run: Run, switches: MemorySwitches) -> None:
    assert run("pauses").output == "nothing is paused\n"
    paused = run("pause", "campaign", "acme:summer", "--reason", "complaints", "--until", "2h")
    assert paused.exit_code == 0
    assert paused.output.startswith("paused campaign acme:summer: complaints, by ops (operator) since ")
    [pause] = switches.in_hand
    assert pause.until is not None
    assert abs(pause.until - datetime.now(UTC) - timedelta(hours=2)) < timedelta(minutes=1)
    assert run("pauses").output == paused.output.removeprefix("paused ")
    assert json.loads(run("pauses", "--json").output)["pauses"][0]["reason"] == "complaints"
    resumed = run("resume", "campaign", "acme:summer")
    assert resumed.output.startswith("resumed campaign acme:summer: complaints")
    assert switches.in_hand == []


def test_a_template_of_all_languages_is_named_as_it_is(run: Run, switches: MemorySwitches) -> None:
    assert run("pause", "template", "100:sale:*").exit_code == 0
    assert [one.name for one in switches.in_hand] == ["100:sale:*"]
    assert run("resume", "template", "100:sale:*").exit_code == 0
    assert switches.in_hand == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pause", "number", "2"), "the sender refused: Not your brand"),
        (("pause", "number", "77"), "the sender refused: Nothing of ours (name): Give the platform's id"),
        (("resume", "number", "1"), "the sender refused: Not paused"),
        (("pause", "city", "1"), "the sender refused: Not a pause (scope)"),
        (("pause", "number", "1", "--until", "soon"), "--until: give a whole number"),
        (("pause", "number", "1", "--until", "2030-01-01T10:00"), "--until: give the zone, too"),
    ],
)
def test_a_refusal_says_what_to_do(run: Run, words: tuple[str, ...], said: str) -> None:
    result = run(*words)
    assert isinstance(result.exception, StartRefused)
    assert str(result.exception).startswith(said)


def test_an_end_is_a_span_from_now_or_an_instant() -> None:
    assert end_of("2030-01-01T10:00Z") == datetime(2030, 1, 1, 10, tzinfo=UTC)
    assert abs(end_of("30m") - datetime.now(UTC) - timedelta(minutes=30)) < timedelta(minutes=1)
