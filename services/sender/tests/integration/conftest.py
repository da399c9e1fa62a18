import pytest

from services.sender.tests.support.stand import Stand, memory_stand, postgres_stand


@pytest.fixture(params=["memory", "postgres"])
def stand(request: pytest.FixtureRequest) -> Stand:
    if request.param == "memory":
        return memory_stand()
    return postgres_stand(request.getfixturevalue("sender_database"))
