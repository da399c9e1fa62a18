"""A sender dies at each named point and at random, and is ended politely; the program does it more often."""

import asyncio

import pytest

from tests.chaos.installation import installed
from tests.chaos.sender_killed import parsed, run
from tests.support.own_servers import both_servers
from tests.support.servers import SharedKafka, SharedPostgres

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(500)]


@pytest.mark.parametrize(
    "asked", [["--points", "1", "--kills", "1"], ["--rolling", "2"]], ids=["killed", "ended_politely"]
)
def test_nothing_is_lost_doubled_or_stuck(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with both_servers() as (kafka, postgres, folder):
        shared = SharedKafka(kafka.bootstrap_servers), SharedPostgres(postgres.dsn())
        with installed(*shared, folder) as installation:
            report = asyncio.run(run(installation, parsed([*asked, "--rate", "20"])))
    with capsys.disabled():
        print(report.show())  # noqa: T201 - for people
    assert report.faults == []
    assert report.accepted > 50
