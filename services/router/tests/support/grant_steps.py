"""A grant, and what results and statuses do to it."""

from collections.abc import Callable
from typing import cast

from garbo.common.events.ids import ContactId
from garbo.router.domain.grant import (
    Grant,
    GrantState,
    Settled,
    grant_id_of,
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


def unknown(grant: Grant) -> Settled:
    return settle_by_result(grant, outcome="unknown", wamid=None, reason="timeout", at_us=SENT_US + BUDGET_US)


def by_status(word: str, *, refundable: bool = False) -> Step:
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


sent, delivered, read = by_status("sent"), by_status("delivered"), by_status("read")
sent, delivered, read = by_status("sent"), by_status("delivered"), by_status("read")
sent, delivered, read = by_status("sent"), by_status("delivered"), by_status("read")


def run(*steps: Step) -> tuple[str, bool, bool]:
    """Give the end state, whether it counts, and whether it was an alarm."""
    grant, counts, alarm = a_grant("dispatched"), True, False
    for step in steps:
        settled = step(grant)
        grant, alarm = settled.grant, alarm or settled.resurrected
        counts = {"count": True, "uncount": False}.get(settled.change, counts)
    return grant.state, counts, alarm
