"""Use case: apply a batch of events to the people they are about, in one transaction, then tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from garbo.common.errors import Reject, RetryLater
from garbo.common.events.contacts import CampaignChanged, CaseChanged, ConsentRecorded, ContactUpdated
from garbo.common.events.ids import ContactId, MessageId
from garbo.common.events.inbound import InboundMessage
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from garbo.router.flow.applying import Applying
from garbo.router.flow.cancelling import note_cancelled
from garbo.router.flow.ledger import Ledger
from garbo.router.flow.means import Means
from garbo.router.flow.persons import Roster, Unsettled, check_settled, enrol
from garbo.router.flow.sightings import Found, Heard, RouterEvent, Sight
from garbo.router.flow.suppressing import with_lists
from garbo.router.ports import Batch

__all__ = ["Heard", "RouterEvent", "TakeEvents"]

TRIES: Final = 8
"""A batch looks at most this often who somebody is; then it comes again."""


@dataclass(frozen=True, slots=True)
class _Open:
    """What is locked for a batch."""

    states: dict[ContactId, RecipientState]
    listed: frozenset[ContactId]
    """Of whom a suppression list said something new."""


class TakeEvents:
    """Windows, keywords, consents, preferences, cases, contact data, campaigns, results, statuses, templates.

    Any order and any repetition of the same events ends in the same state. Commit comes before publishing,
    publishing before the offsets; what an event changed is told through the outbox. Raises `RetryLater`, and
    `Reject` for an event about a number or a brand that is not in the business file, or not its client's, or
    about nobody.
    """

    def __init__(self, means: Means) -> None:
        self._means = means

    async def take(self, heard: Sequence[Heard]) -> None:
        """Apply and tell a batch."""
        for item in heard:
            self._check(item.event)
        campaigns = [item.event for item in heard if isinstance(item.event, CampaignChanged)]
        if campaigns:
            await note_cancelled(self._means.store, campaigns)
        moved: dict[ContactId, ContactId] = {}
        for _ in range(TRIES):
            try:
                ledger = await self._apply(heard, moved)
            except Unsettled as unsettled:
                moved |= unsettled.moved
                await self._means.store.meet(unsettled.strangers)
            else:
                await self._means.announcer.announce(ledger.announcements)
                return
        raise RetryLater("people_changing")

    def _check(self, event: RouterEvent) -> None:
        directory = self._means.directory
        match event:
            case ConsentRecorded():
                refusal = directory.consent_refusal(event)
            case CaseChanged() | CampaignChanged():
                refusal = directory.brand_refusal(event)
            case ContactUpdated():
                refusal = directory.update_refusal(event)
            case InboundMessage() if event.kind != "system":
                if directory.brand_of(event.number) is None:
                    # or one forgotten number stops everybody's STOP
                    raise Reject("unknown_number", alarming=False)
                refusal = None if event.sender.address or event.group_id else "no_sender"
            case _:
                return
        if refusal:
            raise Reject(refusal)

    async def _apply(self, heard: Sequence[Heard], moved: Mapping[ContactId, ContactId]) -> Ledger:
        """Do a batch in one transaction. Raises `Unsettled` when who is who must be looked at again."""
        sight = Sight(self._means.directory, self._means.hash_key, self._means.policies.current)
        async with self._means.store.batch() as batch:
            heard = await _of_people_who_are_there(batch, heard)
            events = [item.event for item in heard]
            roster = await enrol(batch, sight.people(events), moved=moved)
            found = await sight.find(batch, events, roster)
            opened = await self._lock(batch, found, roster)
            ledger = await self._ledger(batch, sight.policy, found, opened, roster)
            applying = Applying(ledger, self._means.directory, sight, found, roster)
            applying.merge()
            for item in heard:
                applying.apply(item)
            if not ledger.empty:
                await batch.write(ledger.changes())
        return ledger

    async def _lock(self, batch: Batch, found: Found, roster: Roster) -> _Open:
        """Lock all people at once, in sorted order, and give them the addresses they were shown by."""
        states = dict(await batch.lock(found.people))
        check_settled(states)
        links = {h: (a, roster.now(c)) for h, (a, c) in roster.links.items() if roster.now(c) in states}
        if links:
            await batch.link(links)
        linked = {contact_id for _, contact_id in links.values()}
        listed = await with_lists(batch, states, linked=linked)
        changed = frozenset(c for c, state in listed.items() if state != states[c])
        return _Open({**states, **listed}, changed)

    async def _ledger(
        self, batch: Batch, policy: Policy, found: Found, opened: _Open, roster: Roster
    ) -> Ledger:
        """Lock the grants, then read the clock and what is stored. A grant is of who its person is now."""
        contacts = await batch.contacts_of(found.shaken) if found.shaken else {}
        waiting = await batch.waiting(found.shaken) if found.shaken else ()
        named: set[MessageId] = set(found.settling)
        for contact_id in found.shaken & opened.states.keys():
            named |= {send.message_id for send in opened.states[contact_id].sends if send.open}
        locked = await batch.lock_grants(named) if named else {}
        grants = {m: replace(g, contact_id=roster.now(g.contact_id)) for m, g in locked.items()}
        campaigns = {(g.brand, g.campaign) for g in grants.values() if g.campaign}
        told = {m for m, g in grants.items() if g.contact_id in found.shaken or m in found.closing}
        moment = await batch.look_up(told | {w.message_id for w in waiting}, campaigns=campaigns)
        ledger = Ledger(
            policy,
            self._means.meter,
            moment,
            opened.states,
            grants,
            contacts=contacts,
            waiting={w.message_id: w for w in waiting},
        )
        ledger.touched |= opened.listed
        return ledger


async def _of_people_who_are_there(batch: Batch, heard: Sequence[Heard]) -> Sequence[Heard]:
    """Leave out records of consent whose person was erased since: they come back to nobody."""
    consents = [item.event.consent_id for item in heard if isinstance(item.event, ConsentRecorded)]
    gone = await batch.unlinked(consents) if consents else ()
    return [h for h in heard if not (isinstance(h.event, ConsentRecorded) and h.event.consent_id in gone)]
