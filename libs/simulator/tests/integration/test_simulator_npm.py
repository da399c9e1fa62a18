"""The proof from outside in another language: a client of npm, written against Meta, talks with it."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Final

import pytest

from libs.simulator.tests.support.world import NUMBER, Json, running_world

pytestmark = pytest.mark.integration

CLIENT: Final = Path(__file__).parents[1] / "npm"
INSTALL: Final = ("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
UNREACHED: Final = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH")
WITHIN_S: Final = 120


async def run(*command: str, folder: Path) -> tuple[int, str, str]:
    """Run a command to its end; its code, what it printed and what it complained of."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=pipe, stderr=pipe)
    async with asyncio.timeout(WITHIN_S):
        out, complained = await process.communicate()
    return process.returncode or 0, out.decode(), complained.decode()


@pytest.fixture
async def installed(tmp_path: Path) -> Path:
    """Install the client, just as the committed lock says, into a folder of its own."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed here: a client of npm cannot run")
    folder = tmp_path / "client"
    shutil.copytree(CLIENT, folder)
    code, _, complained = await run(*INSTALL, folder=folder)
    if code and any(word in complained for word in UNREACHED):
        pytest.skip("the npm registry is not reached from here: the client cannot be installed")
    assert code == 0, complained
    return folder


async def test_a_client_of_npm_sends_lists_and_fetches(tmp_path: Path, installed: Path) -> None:
    async with running_world(tmp_path) as running:
        phone = running.world.crowd.customers.population[0].phone
        said = {"text": "hi", "number": NUMBER.id}
        wrote = (await running.client.post(f"/customers/{phone}/messages", json=said)).json()["wamid"]
        told = (running.url, NUMBER.token, NUMBER.id, NUMBER.waba, phone, wrote)
        code, out, complained = await run("node", "talk.mjs", *told, folder=installed)
        assert code == 0, complained
        entries = (await running.client.get("/ledger")).json()
    result: Json = json.loads(out)
    assert [entry["wamid"] for entry in entries] == result["sent"]
    kinds = ["text", "template", "image", *["interactive"] * 3, "reaction"]
    assert [entry["type"] for entry in entries] == kinds
    assert {entry["recipient"] for entry in entries} == {phone}
    assert result["listed"] == ["spring_sale", "order_update"]
    assert (result["read"], result["size"], result["refused"]) == (True, 8, 132001)


def test_the_lock_names_no_registry() -> None:
    packages = json.loads((CLIENT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert [name for name, one in packages.items() if "resolved" in one] == []
    assert all(one.get("integrity") for name, one in packages.items() if name)
