"""Who is asked about: the recipient of each request that its client may make, and what is stored beside."""

from collections.abc import Iterable, Mapping, Sequence

from garbo.common.events.ids import ContactId
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import Send
from garbo.router.domain.values import Value
from garbo.router.flow.directory import Directory
from garbo.router.flow.request import ReceivedRequest, ResolvedRequest, address_of, recipient_of
from garbo.router.ports.contacts import Address, Contact
from garbo.router.ports.store import Transaction


class AddressedRequest(Value, frozen=True):
    """One request, why it is refused at the door, and the address it names."""

    asked: ReceivedRequest
    refusal: str | None
    address: Address | None


def addressed(asked: ReceivedRequest, *, directory: Directory, hash_key: bytes) -> AddressedRequest:
    """Look at a request before anything is read."""
    return AddressedRequest(asked, directory.refusal(asked.event), address_of(asked.event, hash_key=hash_key))


async def resolve_requests(
    batch: Transaction, doors: Iterable[AddressedRequest], known: Mapping[str, Contact]
) -> list[ResolvedRequest]:
    """Find the recipient of each request that its client may make."""
    doors = list(doors)
    wanted = [ContactId(d.asked.event.to.contact_id) for d in doors if d.asked.event.to.contact_id]
    by_id = await batch.contacts_of(wanted) if wanted else {}
    return [
        _ask(d.asked, d.refusal, None if d.refusal else _contact(d.asked, d.address, known, by_id))
        for d in doors
    ]


async def campaign_sends_of(
    batch: Transaction, policy: Policy, asks: Iterable[ResolvedRequest]
) -> Mapping[tuple[ContactId, str], Sequence[Send]] | None:
    """Read what counts for life; None where no rule asks for it."""
    if not policy.counts_for_life:
        return None
    wanted = {(a.contact.contact_id, a.event.campaign) for a in asks if a.contact and a.event.campaign}
    return await batch.campaign_sends(wanted) if wanted else {}


def campaigns_of(asks: Iterable[ResolvedRequest]) -> set[tuple[str, str]]:
    """Name the campaigns asked for, by brand and name."""
    return {ask.campaign for ask in asks if ask.campaign}


def _ask(asked: ReceivedRequest, refusal: str | None, contact: Contact | None) -> ResolvedRequest:
    """Refuse also who is known by an address that the platform showed and that cannot be sent to."""
    event = asked.event
    if contact and event.to.contact_id and recipient_of(contact.address) is None:
        refusal, contact = "no_address", None
    return ResolvedRequest(
        event=event,
        trace=asked.trace,
        message_id=event.message_id,
        body_hash=event.body_hash(),
        contact=contact,
        refusal=refusal,
        value=asked.value,
    )


def _contact(
    asked: ReceivedRequest,
    address: Address | None,
    by_hash: Mapping[str, Contact],
    by_id: Mapping[ContactId, Contact],
) -> Contact | None:
    if address is None:
        return by_id.get(ContactId(asked.event.to.contact_id)) if asked.event.to.contact_id else None
    found = by_hash.get(address.hash)
    return found if found is None else Contact(found.contact_id, found.kind, address)
