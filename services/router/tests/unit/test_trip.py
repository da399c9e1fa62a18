"""How far a record travels through the house: a number that may fall and must not rise."""

from services.router.tests.support.trip import POLICIES, policy_of, promo_trip, stop_trip

POLICY = policy_of(POLICIES["test policy, 5 rules"])
MOST_FILES, MOST_CHANGES = 26, 99
"""Of the router's own files, and of all of ours. The zones of a region are looked up once an area, a
template's values are compared with what was read of its account."""
MOST_FILES_OF_A_STOP, MOST_CHANGES_OF_A_STOP = 22, 91
"""Each instant of an event is looked at, whether a calendar holds it;
each request, whether a group takes it."""


async def test_promo_enters_no_more_files_than_it_did() -> None:
    trip = await promo_trip(POLICY)
    assert ("router/domain/decide.py", "decide_prepared") in trip.calls
    assert len(trip.router_files) <= MOST_FILES, sorted(trip.router_files)
    assert trip.file_changes <= MOST_CHANGES


async def test_stop_enters_no_more_files_than_it_did() -> None:
    trip = await stop_trip(POLICY)
    assert ("router/flow/unit_of_work.py", "revoke_promos") in trip.calls
    assert len(trip.router_files) <= MOST_FILES_OF_A_STOP, sorted(trip.router_files)
    assert trip.file_changes <= MOST_CHANGES_OF_A_STOP


async def test_request_is_written_in_the_decisions_words_and_classified_once() -> None:
    trip = await promo_trip(POLICY)
    names = [name for _, name in trip.calls]
    assert names.count("request_of") == 1
    assert names.count("classify") == 1
