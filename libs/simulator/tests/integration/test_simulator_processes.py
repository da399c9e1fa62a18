"""The two processes as they are started for real, and the demo business against services that are down."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx
import orjson

from garbo.common.runtime.http import HttpServer
from garbo.simulator.business.publisher import Publisher
from libs.simulator.tests.support.world import SECRET, Receiver, free_port

BUSINESS = """
brands: [{id: acme, care_number: "1001", promo_number: "1001"}]
numbers: [{id: "1001", display: "+39 02 1234 5678", waba: "9001", brand: acme, token: token-1}]
templates: [{name: sale, language: it, category: MARKETING, parameters: 1}]
clients: [{id: shop, brands: [acme], purposes: [promo, utility, care]}]
"""


async def start(module: str, folder: Path, **more: str) -> asyncio.subprocess.Process:
    (folder / "business.yaml").write_text(BUSINESS)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GARBO_")}
    told = {
        "GARBO_CONFIG": str(folder / "business.yaml"),
        "GARBO_WHATSAPP_APP_SECRETS": SECRET,
        "GARBO_SIMULATOR_API_KEY": "demo-key",
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, env=kept | told | more, stderr=asyncio.subprocess.PIPE
    )


async def end(process: asyncio.subprocess.Process) -> tuple[int, str]:
    """Ask it to stop; give its exit code and what it said."""
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(20):
        _, said = await process.communicate()
    return process.returncode or 0, said.decode()


async def answered(url: str) -> httpx.Response:
    """Ask until somebody answers."""
    async with httpx.AsyncClient() as client, asyncio.timeout(30):
        while True:
            try:
                return await client.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.05)


async def test_the_simulator_starts_answers_and_ends_with_0(tmp_path: Path) -> None:
    port = free_port()
    more = {"GARBO_SIMULATOR_PORT": str(port), "GARBO_SIMULATOR_LEDGER": str(tmp_path / "ledger.jsonl")}
    process = await start("garbo.simulator", tmp_path, **more)
    ready = await answered(f"http://127.0.0.1:{port}/readyz")
    people = await answered(f"http://127.0.0.1:{port}/customers")
    code, said = await end(process)
    assert (ready.status_code, len(people.json()), code) == (200, 200, 0), said
    assert people.json()[0]["phone"] not in said


async def test_a_wrong_setting_is_one_clear_line(tmp_path: Path) -> None:
    process = await start("garbo.simulator", tmp_path, GARBO_SIMULATOR_CONTROL='{"latency_ms": -1}')
    _, said = await process.communicate()
    assert process.returncode == 1
    assert said.decode().startswith("garbo: GARBO_SIMULATOR_CONTROL is wrong")
    assert said.count(b"\n") == 1


async def test_the_business_waits_for_everybody_and_ends_with_0(tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    process = await start(
        "garbo.simulator.business",
        tmp_path,
        GARBO_SIMULATOR_URL=nobody,
        GARBO_SIMULATOR_INGEST_URL=nobody,
        GARBO_KAFKA_BOOTSTRAP_SERVERS=nobody.removeprefix("http://"),
    )
    assert process.stderr is not None
    seen = b""
    async with asyncio.timeout(30):
        while seen.count(b"waiting for another service") < 2 or b"help desk session" not in seen:
            seen += await process.stderr.readline()
    assert process.returncode is None
    assert (await end(process))[0] == 0


async def test_the_business_goes_on_where_nobody_lives(tmp_path: Path) -> None:
    port = free_port()
    told = {"GARBO_SIMULATOR_PORT": str(port), "GARBO_SIMULATOR_CUSTOMERS": "0"}
    simulator = await start("garbo.simulator", tmp_path, **told)
    url = f"http://127.0.0.1:{port}"
    await answered(f"{url}/readyz")
    nobody = f"127.0.0.1:{free_port()}"
    business = await start(
        "garbo.simulator.business",
        tmp_path,
        GARBO_SIMULATOR_URL=url,
        GARBO_SIMULATOR_INGEST_URL=f"http://{nobody}",
        GARBO_KAFKA_BOOTSTRAP_SERVERS=nobody,
    )
    assert business.stderr is not None
    seen = b""
    async with asyncio.timeout(30):
        while b"nobody to write to" not in seen or b"help desk session" not in seen:
            line = await business.stderr.readline()
            assert line, seen
            seen += line
    assert [(await end(process))[0] for process in (business, simulator)] == [0, 0]


async def test_publishing_goes_on_until_it_is_taken_once(tmp_path: Path) -> None:
    ingest, port = Receiver(answers=[503, 500, 202]), free_port()
    async with httpx.AsyncClient() as client:
        publisher = Publisher(client, ingest_url=f"http://127.0.0.1:{port}", api_key="demo-key")
        publishing = asyncio.create_task(publisher.publish("/v1/messages", [{"n": 1}], key="k"))
        server = HttpServer(ingest, host="127.0.0.1", port=port)
        await server.start()
        assert await publishing
        ingest.answers = [422]
        assert not await publisher.publish("/v1/messages", [{"n": 2}], key="l")
    await server.stop()
    assert [orjson.loads(body) for body in ingest.bodies] == [[{"n": 1}]] * 3 + [[{"n": 2}]]
