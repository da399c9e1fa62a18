"""Four routers, hot people, kill -9: judged on the simulator's ledger, not on our tables."""

import asyncio
from pathlib import Path

import pytest

from tests.chaos.__main__ import show
from tests.chaos.installation import installed
from tests.chaos.run import Size, chaos
from tests.support.servers import SharedKafka, SharedPostgres

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_scenario_22_nobody_is_over_the_cap_whichever_router_is_killed(
    kafka: SharedKafka, postgres: SharedPostgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = Size(people=400, requests=4_000, routers=4, kills=2)
    with installed(kafka, postgres, tmp_path) as installation:
        found = asyncio.run(chaos(installation, size))
    with capsys.disabled():
        show(size, found)
    assert found.kills == size.kills
    assert found.accepted >= 2 * size.people, "few were sent: the run says little"
    assert (found.excesses, found.deadlocks, found.dead_letters, found.faults) == ([], 0, 0, [])
