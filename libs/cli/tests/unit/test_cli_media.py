"""`garbo media`: what is asked of the sender, and what is told."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from garbo.cli.main import app
from garbo.common.errors import StartRefused
from garbo.sender.flow.media_library import MediaLibrary
from garbo.sender.inbound.http import http_app
from garbo.sender.inbound.media import GivenFiles
from garbo.sender.inbound.pauses import PausesByHand
from services.sender.tests.support.media_files import MemoryMediaFiles
from services.sender.tests.support.media_stores import MemoryMediaStore
from services.sender.tests.support.switches import BUSINESS, MemorySwitches

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture(autouse=True)
def sender(monkeypatch: pytest.MonkeyPatch) -> None:
    library = MediaLibrary(MemoryMediaFiles(), MemoryMediaStore())
    switches = MemorySwitches()
    given = GivenFiles(library, keep=timedelta(days=1))
    served = http_app(BUSINESS, PausesByHand(switches, switches), given, health=())

    def request(method: str, url: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's options
        content = more["content"].read() if "content" in more else b""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(served)
            async with httpx.AsyncClient(transport=transport, base_url="http://sender") as client:
                return await client.request(method, url, content=content, headers=more["headers"])

        return asyncio.run(ask())

    monkeypatch.setattr(httpx, "request", request)
    monkeypatch.setenv("GARBO_API_KEY", "a-key-of-shop")


def run(*words: str) -> str:
    result = CliRunner().invoke(app, ["media", *words])
    if isinstance(result.exception, StartRefused):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_a_file_is_given_and_its_name_is_printed_first(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    said = run("put", str(path), "--brand", "acme")
    name, kind, size, *_ = said.split(" ")
    assert (name[:7], kind, size) == ("sha256:", "image/png", str(len(PNG)))
    assert run("put", str(path), "--brand", "acme", "--type", "image/png").startswith(name)
    assert run("show", name, "--brand", "acme").startswith(f"{name} image/png")


def test_what_cannot_be_given_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.strange-ending"
    with pytest.raises(StartRefused, match="say --type"):
        run("put", str(path), "--brand", "acme")
    with pytest.raises(StartRefused, match="cannot be read"):
        run("put", str(path), "--brand", "acme", "--type", "image/png")
    path.write_bytes(b"<html>")
    with pytest.raises(StartRefused, match="does not begin as image/png does"):
        run("put", str(path), "--brand", "acme", "--type", "image/png")
    with pytest.raises(StartRefused, match="Not your brand"):
        run("put", str(path), "--brand", "other", "--type", "text/html")
