import pytest

from services.sender.tests.support.postgres import SenderDatabase
from services.sender.tests.support.stand import Stand


@pytest.fixture
def stand(sender_database: SenderDatabase) -> Stand:
    return Stand(sender_database)
