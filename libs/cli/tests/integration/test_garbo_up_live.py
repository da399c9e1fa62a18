"""`garbo up --live`: every service against a platform that is not ours, and nothing of the demo."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from garbo.cli.up.runfile import RunFile
from libs.cli.tests.integration.test_garbo_up import Installation
from libs.common.tests.support.waiting import until
from libs.simulator.tests.support.world import NUMBER, SECRET, running_world

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

BUSINESS: Final = f"""
brands: [{{ id: shop, care_number: "{NUMBER.id}", promo_number: "{NUMBER.id}" }}]
numbers:
  - {{ id: "{NUMBER.id}", display: "+39 02 1", waba: "{NUMBER.waba}", brand: shop, token: {NUMBER.token} }}
clients: []
"""
SERVICES: Final = {"ingest", "router", "sender", "analytics", "kafka", "postgres"}


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    tmp_path.chmod(0o755)
    installed = Installation(tmp_path)
    (tmp_path / "business.yaml").write_text(BUSINESS)
    yield installed
    installed.clear_away()


async def test_four_services_run_against_the_platform_and_read_its_templates(
    installation: Installation, tmp_path: Path
) -> None:
    (tmp_path / "world").mkdir()
    async with running_world(tmp_path / "world") as running:
        installation.env |= {"GARBO_GRAPH_URL": running.url, "GARBO_WHATSAPP_APP_SECRETS": SECRET}
        up = ("up", "--live", str(tmp_path / "business.yaml"))
        await asyncio.to_thread(installation.up, *up[1:])
        run = RunFile(installation.data).read()
        assert run is not None
        assert set(run.children) == SERVICES
        assert "simulator" not in installation.said.rpartition("Garbo is up")[2]
        assert running.url in installation.said
        assert "doctor --live" in installation.said

        async def listed() -> str:
            done = await asyncio.to_thread(installation.garbo, "templates", "list")
            return done.stdout

        assert "spring_sale" in await until(listed)
        synced = await asyncio.to_thread(installation.garbo, "templates", "sync")
        assert f"account {NUMBER.waba}: 0 differ" in synced.stdout, "of the file it was started with"
        async with httpx.AsyncClient(trust_env=False) as client:
            port = installation.env["GARBO_SENDER_PORT"]
            assert (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200


@pytest.mark.parametrize(
    ("file", "why"),
    [
        pytest.param("nothing.yaml", "there is no business file", id="no file"),
        pytest.param("business.yaml", "GARBO_WHATSAPP_APP_SECRETS is not set", id="no app secret"),
        pytest.param("demo.yaml", "the demo's, which everybody knows", id="the demo's token"),
        pytest.param("empty.yaml", "lists no number", id="no number"),
    ],
)
def test_what_is_missing_is_one_line_before_anything_starts(
    installation: Installation, tmp_path: Path, file: str, why: str
) -> None:
    (tmp_path / "demo.yaml").write_text(BUSINESS.replace(NUMBER.token, "demo-access-token"))
    (tmp_path / "empty.yaml").write_text("{ brands: [], numbers: [], clients: [] }")
    done = installation.garbo("up", "--live", str(tmp_path / file))
    assert done.returncode == 1
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert installation.processes() == []
