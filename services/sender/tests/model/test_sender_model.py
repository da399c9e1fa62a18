"""A part of what the explorer looks at, in every run; the program looks at all of it."""

import pytest

from garbo.common.events.decisions import Lane
from services.sender.tests.model.explorer import batches, explore, machine_on, walk
from services.sender.tests.model.kept import Kept
from services.sender.tests.model.mutations import MUTATIONS, Mutation, broken
from services.sender.tests.model.order import histories
from services.sender.tests.model.world import World
from services.sender.tests.support.postgres import SenderDatabase
from tests.support.servers import SharedPostgres

pytestmark = pytest.mark.integration

STATES = 400
WALKS = 25
BATCHES = 200


@pytest.mark.parametrize("lane", ["care", "promo"])
async def test_nothing_that_must_not_be_is_within_reach(postgres: SharedPostgres, lane: Lane) -> None:
    async with machine_on(postgres.database("sender"), most_resends=1) as machine:
        start = World(Kept(lane), workers=2, surprises=2)
        found = await explore(machine, start, most=STATES)
        assert found.faults == []
        assert found.states == STATES
        assert (await walk(machine, World(Kept(lane)), walks=WALKS)).faults == []
        assert await batches(machine, count=BATCHES) == []


async def test_nobody_overtakes_their_own_whatever_the_platform_refuses_for_now(
    sender_database: SenderDatabase,
) -> None:
    assert await histories(sender_database, count=2, seed=1) == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_guard_that_is_to_be_broken_is_there(mutation: Mutation) -> None:
    assert mutation.new in broken(mutation)
