"""What results and statuses make of a grant."""

from garbo.router.domain.grant import Grant, Settled, revoke, settle_by_result
from services.router.tests.support.grant_steps import SENT_US, a_grant


def test_only_a_grant_nobody_claimed_is_revoked() -> None:
    assert revoke(a_grant()).closed_reason == "revoked"
    for state in ("dispatched", "unknown", "accepted", "revoked", "released"):
        assert revoke(a_grant(state)) == Settled(a_grant(state))


def test_not_sent_gives_the_slot_back_and_closes_the_decision_once() -> None:
    def not_sent(grant: Grant) -> Settled:
        return settle_by_result(grant, outcome="not_sent", wamid=None, reason="window_closing", at_us=SENT_US)

    first = not_sent(a_grant())
    assert (first.change, first.closed_reason) == ("uncount", "window_closing")
    assert not_sent(first.grant).closed_reason is None
    assert not_sent(a_grant("accepted")).change == "none"
