"""Cases a help desk works on: while one is open, promo of its brand waits."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from garbo.common.events.contacts import CaseChanged
from garbo.router.domain.instants import DAY_US, to_us
from garbo.router.domain.state import Case, RecipientState
from garbo.router.domain.values import replace
from garbo.router.flow.events.handler import EventContext, EventTargets, FoundTargets, refuse
from garbo.router.flow.reevaluation import reevaluate_promos
from garbo.router.flow.unit_of_work import UnitOfWork

REMEMBERED: Final = 32
"""Cases of one person; of more, those that were opened last count."""
CLOSED_KEPT_US: Final = 90 * DAY_US
"""How long a closed case is known: longer than Kafka keeps the word of its opening."""


@dataclass(frozen=True)
class CaseHandler:
    """A help desk opened or closed a case with somebody."""

    event: CaseChanged
    trace: str | None
    context: EventContext

    def check(self) -> None:
        """Refuse a case that is not this client's to change."""
        refuse(self.context.directory.brand_refusal(client=self.event.client, brand=self.event.brand))

    @cached_property
    def targets(self) -> EventTargets:
        """Whom the case is with."""
        return EventTargets(self.context.identity_of(self.event.to))

    @property
    def may_revoke(self) -> bool:
        """An open case holds promo back."""
        return self.event.action == "opened"

    def apply(self, uow: UnitOfWork, found: FoundTargets) -> None:
        """Open, close or reopen a case, in any order of arrival.

        Opening takes back promos nobody has claimed, which wait for the end. Closing looks at what waits
        again: the cool-down ends earlier than was known.
        """
        event = self.event
        contact_id = found.contact_of(uow, event.to, (event.brand,))
        state = uow.states[contact_id]
        key = f"{event.client}:{event.case_id}"
        at_us = min(to_us(event.occurred_at), uow.snapshot.now_us)
        case = _changed(state.cases.get(key), event, at_us=at_us)
        cases = _remembered(uow, {**state.cases, key: case})
        uow.put(contact_id, replace(state, cases=cases))
        if case == state.cases.get(key):
            return
        if case.closed_at_us is None:
            reevaluate_promos(uow, contact_id, brand=event.brand, trace=self.trace)
        else:
            uow.contacts_to_recheck.add(contact_id)


def case_is_open(state: RecipientState, *, brand: str) -> bool:
    """Say whether somebody works on a case of the brand with this person."""
    return any(c.closed_at_us is None and c.brand in (brand, "*") for c in state.cases.values())


def _changed(known: Case | None, event: CaseChanged, *, at_us: int) -> Case:
    """Give a case as it is after an event. Reopened it is a new one, which older events do not change."""
    if event.action == "opened":
        if known is None or (known.closed_at_us is not None and at_us > known.closed_at_us):
            return Case(at_us, None, event.brand)
        known_by_its_closing = known.opened_at_us == known.closed_at_us
        return replace(known, opened_at_us=at_us) if known_by_its_closing else known
    if known is None:
        return Case(at_us, at_us, event.brand)
    if at_us < known.opened_at_us:
        return known
    return replace(known, closed_at_us=max(at_us, known.closed_at_us or at_us))


def _remembered(uow: UnitOfWork, cases: dict[str, Case]) -> dict[str, Case]:
    """Forget cases that were closed long ago.

    An open one is known until it is closed, for care stands on it: how long it holds promo back is the
    rule's matter. A closed one is kept for a while, lest its opening, told again, open it anew.
    """
    since_us = uow.snapshot.now_us - max(CLOSED_KEPT_US, uow.policy.longest_hold_us)
    known = {k: c for k, c in cases.items() if c.closed_at_us is None or c.closed_at_us > since_us}
    newest = sorted(known.items(), key=lambda item: (item[1].opened_at_us, item[0]))[-REMEMBERED:]
    return dict(newest)
