"""PostgreSQL and Kafka are killed once each under load; the program runs it ten times (docs/proof.md)."""

import asyncio

import pytest

from tests.chaos.installation import installed
from tests.chaos.servers_killed import Server, run, show
from tests.support.own_servers import both_servers
from tests.support.servers import SharedKafka, SharedPostgres

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


def test_dying_servers_end_no_service_and_lose_and_double_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    people = [f"+39338{n:07d}" for n in range(600)]
    with both_servers() as (kafka, postgres, folder):
        servers: dict[str, Server] = {"postgres": postgres, "kafka": kafka}
        shared = SharedKafka(kafka.bootstrap_servers), SharedPostgres(postgres.dsn())
        with installed(*shared, folder) as installation:
            report = asyncio.run(run(installation, servers, kills=1, between_s=2.0, people=people))
    with capsys.disabled():
        show(report)
    assert report.faults == []
    assert [death.server for death in report.deaths] == ["postgres", "kafka"]
    assert all(seconds is not None for death in report.deaths for seconds in death.unready_s.values())
    assert report.taken > 50
    assert report.stops > 5
