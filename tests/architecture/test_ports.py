"""Processes of one test run choose their ports from shares of their own."""

from tests.support.ports import QUIET, ports_of_worker


def test_shares_are_all_there_is_and_no_port_is_in_two() -> None:
    shares = [
        ports_of_worker({"PYTEST_XDIST_WORKER": f"gw{n}", "PYTEST_XDIST_WORKER_COUNT": "4"}) for n in range(4)
    ]
    assert sorted(port for share in shares for port in share) == list(QUIET)
    assert ports_of_worker({}) == QUIET
