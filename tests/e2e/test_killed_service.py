"""kill -9 any one service while it works, start it again: the counts agree afterwards."""

import asyncio
import json
import os
import signal
import subprocess
import sys

import httpx
import pytest

from libs.common.tests.support.waiting import until
from tests.e2e.stack import Stack, request

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PEOPLE = [f"+39336{n:07d}" for n in range(400)]
SERVICES = ("ingest", "router", "sender", "analytics")


def garbo(stack: Stack, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "garbo.cli", *arguments],
        env=dict(stack.environ),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def kill(stack: Stack, service: str) -> None:
    assert stack.data is not None
    run = json.loads((stack.data / "run" / "run.json").read_text())
    os.kill(run["children"][service][0], signal.SIGKILL)


async def publish_over(stack: Stack, killed: asyncio.Event) -> int:
    """Publish small arrays with ids of their own, again until each is taken, as a careful client does."""
    taken = 0
    for start in range(0, 2 * len(PEOPLE), 20):
        some = [request(PEOPLE[n % len(PEOPLE)]) for n in range(start, start + 20)]

        async def sent(some: list[dict[str, object]] = some) -> bool:
            try:
                return (await stack.post("ingest", "/v1/messages", some)).status_code == 202
            except httpx.TransportError:
                return False

        await until(sent, bool)
        taken += len(some)
        if start >= len(PEOPLE) // 2:
            killed.set()
    return taken


@pytest.mark.parametrize("service", SERVICES)
async def test_counts_agree_after_a_kill(own_stack_with_people: Stack, service: str) -> None:
    stack = own_stack_with_people
    before = await stack.counts()
    half = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        publishing = group.create_task(publish_over(stack, half))
        await half.wait()
        kill(stack, service)
        restarted = await asyncio.to_thread(garbo, stack, "restart", service)
        assert restarted.returncode == 0, restarted.stdout + restarted.stderr

    async def decided() -> int:
        return (await stack.counts())["decided"] - before["decided"]

    await until(decided, lambda n: n == publishing.result(), within_s=90)
    checked = await asyncio.to_thread(garbo, stack, "doctor", "--ledger", "--quiet", "--settle", "60")
    assert checked.returncode == 0, checked.stdout + checked.stderr
