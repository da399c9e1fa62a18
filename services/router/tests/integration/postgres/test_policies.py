"""The archive of policies in memory and in PostgreSQL: one behaviour."""

import pytest

from garbo.common.runtime.postgres import Database
from garbo.router.outbound.postgres.policies import PostgresPolicies
from garbo.router.ports.policy_archive import PolicyArchive
from services.router.tests.support.memory_policies import InMemoryPolicies

pytestmark = pytest.mark.integration


@pytest.fixture(params=["memory", "postgres"])
def archive(request: pytest.FixtureRequest) -> PolicyArchive:
    if request.param == "memory":
        return InMemoryPolicies()
    database: Database = request.getfixturevalue("database")
    return PostgresPolicies(database)


async def test_the_newest_is_the_one_that_came_into_force_last(archive: PolicyArchive) -> None:
    assert await archive.newest() is None
    await archive.keep("sha256:1", "first: è")
    await archive.keep("sha256:2", "second")
    assert await archive.newest() == "second"
    await archive.keep("sha256:1", "first: è")
    assert await archive.newest() == "first: è"
    await archive.keep("sha256:1", "first: è")
    assert await archive.newest() == "first: è"
