"""Arbitrary records into every topic, a few; the program writes 200,000 (docs/proof.md)."""

import asyncio
from pathlib import Path

import pytest

from tests.chaos.fuzz import Size, run, show
from tests.chaos.installation import installed
from tests.support.servers import SharedKafka, SharedPostgres

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_arbitrary_records_end_nothing_and_normal_traffic_is_decided_once(
    kafka: SharedKafka, postgres: SharedPostgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = Size(records=1_000, quiet_s=2.0, people=400, caught_up_s=240.0)
    with installed(kafka, postgres, tmp_path) as installation:
        report = asyncio.run(run(installation, size))
    with capsys.disabled():
        show(report)
    assert report.faults == []
    assert report.written > size.records / 2
    assert report.dead_letters > size.records / 4
    assert max(report.peak_mib.values()) < COMPOSE_MIB


COMPOSE_MIB = 384
"""What a container may use (docker-compose.yml)."""
