"""The sender's flow dies some tens of times in a minute; the program does it a thousand times."""

import pytest

from tests.chaos.flow_killed import main

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def test_nothing_is_lost_doubled_or_stuck_however_often_it_dies(capsys: pytest.CaptureFixture[str]) -> None:
    found = main(["--kills", "10", "--a-round", "5", "--within", "1"])
    assert found == 0, capsys.readouterr().out
