"""One installation for all end-to-end tests: given by GARBO_TEST_STACK_*, else `garbo up` on this machine."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.e2e.collector import Collector, running_collector
from tests.e2e.stack import Stack, local_stack, stack_from_environment

POLICY = Path(__file__).parent / "policy.yaml"
ENVIRON = {
    "GARBO_WHATSAPP_APP_SECRETS": "e2e-app-secret",
    "GARBO_POLICY": str(POLICY),
    "GARBO_CONFIG": str(Path(__file__).parent / "business.yaml"),
    "GARBO_SIMULATOR_CUSTOMERS": "0",
    "GARBO_SIMULATOR_CONTROL": '{"population": {"on": false}}',
}


@pytest.fixture(scope="session")
def e2e_environ() -> dict[str, str]:
    """What every installation of these tests is told."""
    return dict(ENVIRON)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An installation without traffic of its own."""
    given = stack_from_environment(os.environ)
    if given:
        yield given
        return
    with local_stack(tmp_path_factory.mktemp("stack") / "data", ENVIRON) as running:
        yield running


@pytest.fixture(scope="module")
def own_stack_with_people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An installation for tests that kill parts of it, its 400 people opted in. Always on this machine."""
    people = [f"+39336{n:07d}" for n in range(400)]
    with local_stack(tmp_path_factory.mktemp("own") / "data", ENVIRON) as running:
        asyncio.run(running.opt_in(people))
        yield running


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    """Take the spans of an installation that is told of it."""
    async with running_collector() as taking:
        yield taking
