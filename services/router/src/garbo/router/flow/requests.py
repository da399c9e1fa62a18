"""Use case: decide a batch of requests, in one transaction, then tell."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal
from uuid import uuid4

from garbo.common.events.decisions import DecisionMade
from garbo.common.events.ids import ContactId
from garbo.common.events.wire import encode
from garbo.router.domain.state import RecipientState
from garbo.router.flow.ask import Ask, Asked, address_of, recipient_of
from garbo.router.flow.desk import Desk
from garbo.router.flow.directory import Directory
from garbo.router.flow.policies import Policies
from garbo.router.ports import Address, Announcer, Batch, Contact, Meter, Store


class DecideRequests:
    """Each request is decided once; asking again tells the stored decision again.

    Order: commit, then publish, then (by returning) the offsets. A crash between any two of them leads to
    a redelivery that finds the stored decision. Raises `RetryLater` when database or broker are not there.
    """

    def __init__(
        self,
        *,
        store: Store,
        announcer: Announcer,
        meter: Meter,
        policies: Policies,
        directory: Directory,
        hash_key: bytes,
    ) -> None:
        self._store, self._announcer, self._meter = store, announcer, meter
        self._policies, self._directory, self._hash_key = policies, directory, hash_key

    async def decide(self, asked: Sequence[Asked]) -> None:
        """Decide and tell a batch."""
        async with self._store.batch() as batch:
            asks = await self._recognised(batch, asked, mint=True)
            states = await batch.lock({ask.contact.contact_id for ask in asks if ask.contact})
            desk = await self._desk(batch, asks, states)
            desk.take(asks)
            if desk.fresh:
                await batch.write(desk.changes())
        await self._announcer.announce(desk.announcements)

    async def preview(self, asked: Sequence[Asked]) -> list[bytes]:
        """Give the record each would be answered now, alone, without a grant; nothing is written."""
        async with self._store.batch() as batch:
            asks = await self._recognised(batch, asked, mint=False)
            states = await batch.peek({ask.contact.contact_id for ask in asks if ask.contact})
            moment = await batch.look_up(())
        policy, previews = self._policies.current, list[bytes]()
        for ask in map(self._with_stranger, asks):
            desk = Desk(policy, self._directory, Silent(), moment, defaultdict(RecipientState, states))
            desk.take([ask])
            record = DecisionMade.model_validate_json(desk.fresh[ask.message_id].records[0])
            previews.append(encode(record.model_copy(update={"grant": None})))
        return previews

    def _with_stranger(self, ask: Ask) -> Ask:
        """Give a request for an address nobody has written to yet a contact that is not stored."""
        address = address_of(ask.event, hash_key=self._hash_key)
        if ask.contact or ask.refusal or address is None:
            return ask
        kind: Literal["group", "person"] = "group" if address.kind == "group_id" else "person"
        return replace(ask, contact=Contact(ContactId(uuid4()), kind, address))

    async def _desk(
        self, batch: Batch, asks: Sequence[Ask], states: Mapping[ContactId, RecipientState]
    ) -> Desk:
        moment = await batch.look_up([ask.message_id for ask in asks])
        return Desk(self._policies.current, self._directory, self._meter, moment, dict(states))

    async def _recognised(self, batch: Batch, asked: Iterable[Asked], *, mint: bool) -> list[Ask]:
        """Find (or make) the recipient of each request that its client may make."""
        doors = [
            (a, self._directory.refusal(a.event), address_of(a.event, hash_key=self._hash_key)) for a in asked
        ]
        by_hash = await batch.contacts_at(
            [address for _, refusal, address in doors if address and not refusal], mint=mint
        )
        wanted = [
            ContactId(a.event.to.contact_id)
            for a, refusal, _ in doors
            if a.event.to.contact_id and not refusal
        ]
        by_id = await batch.contacts_of(wanted) if wanted else {}
        return [
            _ask(a, refusal, None if refusal else _contact(a, address, by_hash, by_id))
            for a, refusal, address in doors
        ]


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
