"""Use case: decide a batch of requests, in one transaction, then tell."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import uuid4

from garbo.common.errors import RetryLater
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.ids import ContactId
from garbo.common.events.wire import encode
from garbo.router.domain.policy import Lifetime, Policy, RateRule
from garbo.router.domain.state import RecipientState, Send
from garbo.router.flow.ask import Ask, Asked, address_of, recipient_of
from garbo.router.flow.desk import Desk
from garbo.router.flow.means import Means
from garbo.router.flow.stock import Shelf, leased
from garbo.router.ports import Address, Batch, Contact, Deferred


@dataclass(frozen=True, slots=True)
class _Door:
    """One request, why it is refused at the door, and the address it names."""

    asked: Asked
    refusal: str | None
    address: Address | None


class DecideRequests:
    """Each request is decided once; asking again tells the stored decision again.

    Order: commit, then publish, then (by returning) the offsets. A crash between any two of them leads to
    a redelivery that finds the stored decision. Raises `RetryLater` when database or broker are not there.
    """

    def __init__(self, means: Means) -> None:
        self._means = means

    async def decide(self, asked: Sequence[Asked]) -> None:
        """Decide and tell a batch."""
        means, policy = self._means, self._means.policies.current
        doors = [self._door(one) for one in asked]
        known = await means.store.meet(door.address for door in doors if door.address and not door.refusal)
        slices = await leased(means.stock, policy, (a.event for a in asked)) if means.stock else ()
        async with means.store.batch() as batch:
            asks = await _recognised(batch, doors, known)
            desk = await self._desk(batch, policy, asks)
            if means.stock:
                held = await batch.hold_slices(slices) if slices else ()
                desk.shelf = Shelf(policy, desk.moment.now_us, held)
            await desk.take(asks)
            if desk.fresh:
                await batch.write(desk.changes())
        await means.announcer.announce(desk.announcements)

    async def preview(self, asked: Sequence[Asked]) -> list[bytes]:
        """Give the record each would be answered now, alone, without a grant; nothing is written."""
        means, policy = self._means, self._means.policies.current
        doors = [self._door(one) for one in asked]
        async with means.store.batch() as batch:
            known = await batch.contacts_at((d.address for d in doors if d.address), mint=False)
            asks = await _recognised(batch, doors, known)
            states = await batch.peek({ask.contact.contact_id for ask in asks if ask.contact})
            moment = await batch.look_up((), campaigns=_campaigns(asks))
            sends = await _campaign_sends(batch, policy, asks)
        previews: list[bytes] = []
        for ask in map(self._with_stranger, asks):
            fresh = defaultdict(RecipientState, states)
            desk = Desk(policy, means.directory, Silent(), moment, fresh, campaign_sends=sends)
            await desk.take([ask])
            record = DecisionMade.model_validate_json(desk.fresh[ask.message_id].records[0])
            previews.append(encode(record.model_copy(update={"grant": None})))
        return previews

    def _door(self, asked: Asked) -> _Door:
        address = address_of(asked.event, hash_key=self._means.hash_key)
        return _Door(asked, self._means.directory.refusal(asked.event), address)

    def _with_stranger(self, ask: Ask) -> Ask:
        """Give a request for an address nobody has written to yet a contact that is not stored."""
        address = address_of(ask.event, hash_key=self._means.hash_key)
        if ask.contact or ask.refusal or address is None:
            return ask
        kind: Literal["group", "person"] = "group" if address.kind == "group_id" else "person"
        return replace(ask, contact=Contact(ContactId(uuid4()), kind, address))

    async def _desk(self, batch: Batch, policy: Policy, asks: Sequence[Ask]) -> Desk:
        """Lock the people, then read what is stored."""
        contact_ids = {ask.contact.contact_id for ask in asks if ask.contact}
        states = dict(await batch.lock(contact_ids))
        if len(states) < len(contact_ids) or any(s.merged_into is not None for s in states.values()):
            raise RetryLater("contact_moved")  # erased or merged since it was found
        waiting = await _rivals(batch, policy, asks)
        message_ids = [ask.message_id for ask in asks] + [waits.message_id for waits in waiting]
        moment = await batch.look_up(message_ids, campaigns=_campaigns(asks))
        sends = await _campaign_sends(batch, policy, asks)
        means = self._means
        return Desk(policy, means.directory, means.meter, moment, states, waiting, sends)


async def _recognised(batch: Batch, doors: Iterable[_Door], known: Mapping[str, Contact]) -> list[Ask]:
    """Find the recipient of each request that its client may make."""
    doors = list(doors)
    wanted = [ContactId(d.asked.event.to.contact_id) for d in doors if d.asked.event.to.contact_id]
    by_id = await batch.contacts_of(wanted) if wanted else {}
    return [
        _ask(d.asked, d.refusal, None if d.refusal else _contact(d.asked, d.address, known, by_id))
        for d in doors
    ]


async def _rivals(batch: Batch, policy: Policy, asks: Iterable[Ask]) -> Sequence[Deferred]:
    """Find the requests that wait for the same people, of the same campaigns."""
    if policy.same_campaign != "keep_newest":
        return ()
    asked = {(a.contact.contact_id, *a.campaign) for a in asks if a.contact and a.campaign}
    waiting = await batch.waiting({contact_id for contact_id, _, _ in asked}) if asked else ()
    return [w for w in waiting if w.campaign and (w.contact_id, w.brand, w.campaign) in asked]


async def _campaign_sends(
    batch: Batch, policy: Policy, asks: Iterable[Ask]
) -> Mapping[tuple[ContactId, str], Sequence[Send]] | None:
    """Read what counts for life; None where no rule asks for it."""
    if not any(isinstance(rule, RateRule) and isinstance(rule.window, Lifetime) for rule in policy.rules):
        return None
    wanted = {(a.contact.contact_id, a.event.campaign) for a in asks if a.contact and a.event.campaign}
    return await batch.campaign_sends(wanted) if wanted else {}


def _campaigns(asks: Iterable[Ask]) -> set[tuple[str, str]]:
    return {ask.campaign for ask in asks if ask.campaign}


def _ask(asked: Asked, refusal: str | None, contact: Contact | None) -> Ask:
    """Refuse also who is known by an address that the platform showed and that cannot be sent to."""
    event = asked.event
    if contact and event.to.contact_id and recipient_of(contact.address) is None:
        refusal, contact = "no_address", None
    return Ask(
        event=event,
        trace=asked.trace,
        message_id=event.message_id,
        body_hash=event.body_hash(),
        contact=contact,
        refusal=refusal,
        value=asked.value,
    )


def _contact(
    asked: Asked, address: Address | None, by_hash: Mapping[str, Contact], by_id: Mapping[ContactId, Contact]
) -> Contact | None:
    if address is None:
        return by_id.get(ContactId(asked.event.to.contact_id)) if asked.event.to.contact_id else None
    found = by_hash.get(address.hash)
    return found if found is None else Contact(found.contact_id, found.kind, address)


class Silent:
    """A meter that counts nothing: a preview is not a decision."""

    def decided(self, *, message_class: str, verdict: str, reason: str) -> None:
        """Count nothing."""

    def repeated(self) -> None:
        """Count nothing."""

    def resurrected(self) -> None:
        """Count nothing."""
