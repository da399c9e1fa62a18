"""What became of a grant: results of the sender, statuses of the platform, in any order and number."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from garbo.common.events.ids import ContactId, MessageId, message_of_attempt, platform_message_ref
from garbo.common.events.results import SendResult
from garbo.common.events.shown import AddressShown
from garbo.common.events.statuses import MessageStatus
from garbo.router.domain.cooldown import with_arrival, with_strike
from garbo.router.domain.grant import Grant, Settled, settle_by_result, settle_by_status
from garbo.router.domain.instants import to_us
from garbo.router.domain.values import replace
from garbo.router.flow.directory import Directory
from garbo.router.flow.events.consent import ConsentEvent
from garbo.router.flow.events.handler import EventContext, EventTargets, FoundTargets
from garbo.router.flow.events.preference import stop_by_platform
from garbo.router.flow.reevaluation import fall_back, reevaluate_promos
from garbo.router.flow.unit_of_work import UnitOfWork

HELD_BACK: Final = 131049
"""The platform held a promo back for this person."""
SWITCHED_OFF: Final = 131050
"""The person has switched marketing of this business off: the same as their `user_preferences` stop."""
BRAKES: Final = frozenset({HELD_BACK, SWITCHED_OFF})
"""Codes of one message that hold others back."""
WINDOW_GONE: Final = frozenset({"window_closing", "window_closed"})


@dataclass(frozen=True)
class ResultHandler:
    """The sender told what it did with a grant."""

    event: SendResult
    trace: str | None
    context: EventContext

    def check(self) -> None:
        """Refuse nothing: it is our own sender's word."""

    @property
    def targets(self) -> EventTargets:
        """Which message it is about."""
        return EventTargets(message_id=MessageId(self.event.message_id), settles=True)

    @property
    def may_revoke(self) -> bool:
        """Some codes hold other promos back; what was not sent may be decided again as its fallback."""
        return self.event.outcome == "not_sent" or self.event.code in BRAKES

    def apply(self, uow: UnitOfWork, _found: FoundTargets) -> None:
        """Apply the sender's word. What is about an earlier grant of the message says nothing of this one."""
        result, grant = self.event, uow.grants.get(MessageId(self.event.message_id))
        if grant is None or _is_about_an_earlier(grant, result):
            return
        at_us = to_us(result.recorded_at)
        if result.outcome == "unknown":
            at_us = to_us(result.started_at or result.recorded_at) + uow.policy.send_budget_us
        settled = settle_by_result(
            grant,
            outcome=result.outcome,
            wamid=result.platform_message_ref,
            reason=result.reason,
            at_us=at_us,
            refund=uow.policy.counting.refund_rejected,
        )
        effects = _DeliveryEffects(uow, self.context.directory, self.trace)
        effects.settle(grant, settled)
        if result.outcome == "failed" and result.code is not None:
            effects.take_codes(grant, settled, {result.code}, at_us=to_us(result.recorded_at))


@dataclass(frozen=True)
class StatusHandler:
    """The platform told what became of a message."""

    event: MessageStatus
    trace: str | None
    context: EventContext

    def check(self) -> None:
        """Refuse nothing: a status of a message that is not ours changes nothing."""

    @cached_property
    def targets(self) -> EventTargets:
        """Which message it is about: by our attempt id, else by its wamid."""
        attempt_id = self.event.attempt_id
        message_id = message_of_attempt(attempt_id) if attempt_id else None
        wamid = None if message_id else platform_message_ref(self.event.wamid)
        is_of_one = self.event.participant is None
        shown = self.context.identity_of(self.event.recipient, create=False) if is_of_one else None
        return EventTargets(message_id=message_id, wamid=wamid, shown=shown, settles=True)

    @property
    def may_revoke(self) -> bool:
        """Some codes hold other promos back."""
        return not BRAKES.isdisjoint(error.code for error in self.event.errors)

    def apply(self, uow: UnitOfWork, found: FoundTargets) -> None:
        """Apply the platform's word about a message."""
        grant = uow.grants.get(found.grant.message_id) if found.grant else None
        if grant is None:
            return
        status, policy, codes = self.event, uow.policy, {error.code for error in self.event.errors}
        at_us = to_us(status.occurred_at)
        settled = settle_by_status(
            grant,
            status=status.status,
            refundable=status.participant is None
            and policy.counting.refund_failed
            and not policy.refund_codes.isdisjoint(codes),
            wamid=platform_message_ref(status.wamid),
            at_us=at_us,
            send_budget_us=policy.send_budget_us,
        )
        effects = _DeliveryEffects(uow, self.context.directory, self.trace)
        effects.settle(grant, settled)
        if settled.grant.state == "delivered" and grant.message_class == "promo":
            effects.arrived(grant, at_us)
        if status.status == "failed":
            effects.take_codes(grant, settled, codes, at_us=at_us)


@dataclass(frozen=True)
class AddressShownHandler:
    """The platform's answer to a send named the person by another address: both are theirs."""

    event: AddressShown
    trace: str | None
    context: EventContext

    def check(self) -> None:
        """Refuse nothing: it is our own sender's word."""

    @cached_property
    def targets(self) -> EventTargets:
        """Which message was answered, and how the platform shows the person."""
        shown = self.context.identity_of(self.event.shown, create=False)
        return EventTargets(message_id=MessageId(self.event.message_id), shown=shown, settles=True)

    @property
    def may_revoke(self) -> bool:
        """Only by making two people one, which is looked at apart."""
        return False

    def apply(self, _uow: UnitOfWork, _found: FoundTargets) -> None:
        """Change nothing more: the addresses were joined when the people were found."""


@dataclass(frozen=True, slots=True)
class _DeliveryEffects:
    """What a result or a status changes beside its grant."""

    uow: UnitOfWork
    directory: Directory
    trace: str | None

    def settle(self, grant: Grant, settled: Settled) -> None:
        """Settle; a message whose window closed before it could leave is decided again as its fallback."""
        if settled.change == "count" and not settled.open and self._by_reservation:
            settled = replace(settled, at_us=grant.not_before_us)
        if settled.closed_reason in WINDOW_GONE:
            self.uow.settle(Settled(settled.grant, settled.change), trace=self.trace)
            if not fall_back(self.uow, grant, trace=self.trace):
                self.uow.close(grant.message_id, reason=settled.closed_reason or "", trace=self.trace)
            return
        self.uow.settle(settled, trace=self.trace)

    @property
    def _by_reservation(self) -> bool:
        """Whether a send counts at the instant of its reservation, not of its acceptance."""
        return self.uow.policy.counting.instant == "reserved"

    def arrived(self, grant: Grant, at_us: int) -> None:
        """Note that a promo got through: the platform holds none back now."""
        state = self.uow.states.get(grant.contact_id)
        if state is not None:
            self.uow.put(grant.contact_id, with_arrival(state, brand=grant.brand, at_us=at_us))

    def take_codes(self, grant: Grant, settled: Settled, codes: Collection[int], *, at_us: int) -> None:
        """Draw what follows for other promos from why a promo failed."""
        contact_id, known = grant.contact_id, grant.contact_id in self.uow.states
        if not known or grant.message_class != "promo":
            return
        at_us = min(at_us, self.uow.snapshot.now_us)
        if SWITCHED_OFF in codes:
            key = f"{grant.message_id}:{SWITCHED_OFF}"
            event = ConsentEvent(key, "withdrawn", str(SWITCHED_OFF), at_us, grant.brand, grant.number)
            stop_by_platform(self.uow, contact_id, event, number=grant.number, trace=self.trace)
        if HELD_BACK in codes and settled.grant.state in ("failed", "refunded"):
            self._brake(contact_id, grant, at_us=at_us)

    def _brake(self, contact_id: ContactId, grant: Grant, *, at_us: int) -> None:
        state = self.uow.states[contact_id]
        braked = with_strike(state, brand=grant.brand, by=grant.message_id, at_us=at_us)
        if braked != state:
            self.uow.put(contact_id, braked)
            reevaluate_promos(self.uow, contact_id, brand=grant.brand, trace=self.trace)


def _is_about_an_earlier(grant: Grant, result: SendResult) -> bool:
    """Say whether a result is of a grant this message had before, and nothing was sent under it."""
    if result.outcome == "accepted":
        return False
    return result.grant_id != grant.grant_id or (result.epoch is not None and result.epoch < grant.epoch)
