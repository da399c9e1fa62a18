"""What results and statuses make of a grant, in every order they can arrive."""

from collections.abc import Callable
from itertools import permutations
from typing import cast

import pytest

from garbo.common.events.ids import ContactId
from garbo.router.domain.grant import (
    Grant,
    GrantState,
    Settled,
    grant_id_of,
    revoke,
    settle_by_result,
    settle_by_status,
)
from services.router.tests.support.build_domain import at, message

SENT_US = at("2026-06-05T10:00:00.25Z")
BUDGET_US = 45_000_000
Step = Callable[[Grant], Settled]


def a_grant(state: str = "reserved") -> Grant:
    return Grant(
        grant_id=grant_id_of(message(1), 0),
        message_id=message(1),
        contact_id=ContactId(message(2)),
        lane="promo",
        message_class="promo",
        brand="acme",
        number="1002",
        epoch=1,
        state=cast("GrantState", state),
        not_before_us=SENT_US,
        valid_until_us=SENT_US + 900_000_000,
    )


def accepted(grant: Grant) -> Settled:
    return settle_by_result(grant, outcome="accepted", wamid="w", reason=None, at_us=SENT_US)


def failed_result(grant: Grant) -> Settled:
    return settle_by_result(grant, outcome="failed", wamid=None, reason=None, at_us=SENT_US)


def unknown(grant: Grant) -> Settled:
    return settle_by_result(grant, outcome="unknown", wamid=None, reason="timeout", at_us=SENT_US + BUDGET_US)


def status(word: str, *, refundable: bool = False) -> Step:
    def apply(grant: Grant) -> Settled:
        return settle_by_status(
            grant,
            status=word,
            refundable=refundable,
            wamid="w",
            at_us=SENT_US - 250_000,
            send_budget_us=BUDGET_US,
        )

    return apply


sent, delivered, read = status("sent"), status("delivered"), status("read")
undeliverable, failed_late = status("failed", refundable=True), status("failed")


def run(*steps: Step) -> tuple[str, bool, bool]:
    """Give the end state, whether it counts, and whether it was an alarm."""
    grant, counts, alarm = a_grant("dispatched"), True, False
    for step in steps:
        settled = step(grant)
        grant, alarm = settled.grant, alarm or settled.resurrected
        counts = {"count": True, "uncount": False}.get(settled.change, counts)
    return grant.state, counts, alarm


@pytest.mark.parametrize(
    ("steps", "state", "counts"),
    [
        ([accepted, sent, delivered, read], "delivered", True),
        ([unknown, sent], "accepted", True),
        ([accepted, sent, undeliverable], "refunded", False),
        ([accepted, failed_late], "accepted", True),
        ([delivered, undeliverable], "delivered", True),
    ],
    ids=["read", "unknown settled", "undeliverable", "failed for good but paid", "delivered beats failed"],
)
def test_scenario_31_any_order_and_repetition_ends_the_same(
    steps: list[Step], state: str, counts: bool
) -> None:
    for order in permutations(steps):
        assert run(*order)[:2] == (state, counts)
        assert run(*order, *order)[:2] == (state, counts)


def test_scenario_30_late_delivered_counts_again_and_alarms() -> None:
    assert run(accepted, undeliverable, undeliverable) == ("refunded", False, False)
    assert run(accepted, undeliverable, delivered) == ("delivered", True, True)


def test_scenario_38_refused_send_gives_its_slot_back_once() -> None:
    assert run(failed_result, failed_result) == ("failed", False, False)
    assert run(failed_result, accepted)[2]


def test_scenario_39_unknown_counts_until_a_status_says_more() -> None:
    settled = unknown(a_grant("dispatched"))
    assert (settled.change, settled.open, settled.at_us) == ("count", True, SENT_US + BUDGET_US)
    by_status = sent(settled.grant)
    assert (by_status.change, by_status.open) == ("count", False)
    assert by_status.at_us == SENT_US - 250_000 + 1_000_000, "the end of the status' second"


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
