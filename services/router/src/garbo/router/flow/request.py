"""A request on its way to its decision: as it came, resolved to a person, and as it is decided now."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import ValidationError

from garbo.common.events.addresses import Recipient, is_possible
from garbo.common.events.content import TemplateContent
from garbo.common.events.ids import ContactId, MessageId, address_hash, platform_message_ref
from garbo.common.events.requests import SendRequested
from garbo.common.events.submitted import InvalidRequest
from garbo.common.events.template import Template
from garbo.common.events.wire import encode
from garbo.router.domain.instants import to_us, to_us_or_none
from garbo.router.domain.policy import Policy
from garbo.router.domain.prepared_request import PreparedRequest, prepare
from garbo.router.domain.request import Body, Request
from garbo.router.domain.state import RecipientState, known_to
from garbo.router.domain.values import Value, replace
from garbo.router.flow.directory import Directory
from garbo.router.flow.phone_region import UNKNOWN_REGION, phone_region
from garbo.router.ports.contacts import Address, Contact, ContactTransaction
from garbo.router.ports.store import Snapshot


class ReceivedRequest(Value, frozen=True):
    """One request as it arrived."""

    event: SendRequested
    trace: str | None = None
    value: bytes = b""
    """Its bytes as they came."""

    def stored(self) -> bytes:
        """Give the request as it is kept while it may be decided again; read it as one from Kafka."""
        return self.value or encode(self.event)


class ResolvedRequest(Value, frozen=True):
    """One request with its identity, why it is refused before the rules, and its recipient where known."""

    received: ReceivedRequest
    message_id: MessageId
    body_hash: bytes
    refusal: str | None = None
    address: Address | None = None
    """The one it names; None when it names a contact."""
    is_possible: bool = True
    """Whether a stranger may have that address; whom the platform showed by it is known by it already."""
    contact: Contact | None = None

    def is_hidden(self, state: RecipientState) -> bool:
        """Say whether it names, by their id, a person its brand has never dealt with: whose id is no key."""
        event = self.received.event
        return event.to.contact_id is not None and not known_to(state, (event.brand,))


class Candidate(Value, frozen=True):
    """One request as it is decided now: for the first time, or again."""

    received: ReceivedRequest
    contact: Contact
    message_id: MessageId
    prepared: PreparedRequest
    campaign: tuple[ContactId, str] | None = None
    """Recipient and campaign: what a lifetime cap counts by."""
    body_hash: bytes = b""
    sequence: int = 1
    """Of the record its decision gets; the first one is of a request that is new."""

    @property
    def age(self) -> tuple[int, int]:
        """By what the newest of a campaign is found."""
        request = self.prepared.request
        return request.requested_at_us, request.request_id.int


def read_requests(
    received: Iterable[ReceivedRequest], *, directory: Directory, hash_key: bytes
) -> list[ResolvedRequest]:
    """Look at requests before anything is read: who may ask, and which address is named."""
    return [
        ResolvedRequest(
            received=one,
            message_id=one.event.message_id,
            body_hash=one.event.body_hash(),
            refusal=directory.refusal(one.event) or _invalidity(one.event),
            address=_address(one.event, hash_key=hash_key),
            is_possible=one.event.to.phone is None or is_possible(one.event.to.phone),
        )
        for one in received
    ]


async def find_recipients(
    transaction: ContactTransaction, requests: Sequence[ResolvedRequest], known: Mapping[str, Contact]
) -> list[ResolvedRequest]:
    """Find the recipient of each request that its client may make; `known` has those of addresses."""
    named = [ContactId(r.received.event.to.contact_id) for r in requests if r.received.event.to.contact_id]
    by_id = await transaction.contacts_of(named) if named else {}
    doubtful = [one.address for one in requests if one.address and not one.is_possible]
    known = {**known, **await transaction.contacts_at(doubtful)} if doubtful else known
    return [one if one.refusal else _with_recipient(one, known, by_id) for one in requests]


def new_candidate(
    resolved: ResolvedRequest,
    contact: Contact,
    *,
    policy: Policy,
    state: RecipientState,
    directory: Directory,
    snapshot: Snapshot,
) -> Candidate:
    """Give a request as it is decided for the first time."""
    received, message_id = resolved.received, resolved.message_id
    request = request_of(received.event, contact, message_id, directory=directory, snapshot=snapshot)
    prepared = prepare(policy, state, request, snapshot.now_us)
    name = received.event.campaign
    campaign = None if name is None else (contact.contact_id, name)
    return Candidate(received, contact, message_id, prepared, campaign, resolved.body_hash)


def request_of(
    event: SendRequested,
    contact: Contact,
    message_id: MessageId,
    *,
    directory: Directory,
    snapshot: Snapshot,
) -> Request:
    """Write a request in the decision's words, with the templates' categories of this instant."""
    origin = directory.origin(event)
    template = event.content.template if isinstance(event.content, TemplateContent) else None
    second = event.fallback.template if event.fallback else None
    place = phone_region(contact.address.value) if contact.address.kind == "phone" else UNKNOWN_REGION
    return Request(
        message_id=message_id,
        request_id=event.request_id,
        client=event.client,
        brand=event.brand,
        purpose=event.purpose,
        body=_body(template, origin.waba, snapshot) if template else Body(form="free"),
        fallback=_body(second, origin.waba, snapshot) if second and not template else None,
        numbers=origin.numbers,
        requested_at_us=to_us(event.requested_at),
        priority=event.priority,
        campaign=event.campaign,
        tags=event.tags,
        reply_to=platform_message_ref(event.reply_to) if event.reply_to else None,
        not_before_us=to_us_or_none(event.not_before),
        expires_at_us=to_us_or_none(event.expires_at),
        recipient_kind=contact.kind,
        channel=event.channel,
        contact=str(contact.contact_id),
        region=place.region,
        country_zones=place.zones,
        case_id=event.case_id,
        override=event.override.rules if event.override else (),
        roles=origin.roles,
        cancelled=(event.brand, event.campaign) in snapshot.cancelled,
    )


def recipient_of(address: Address) -> Recipient | None:
    """Give a stored address as a recipient; None when it has not the form of one."""
    try:
        return Recipient.model_validate({address.kind: address.value})
    except ValidationError:
        return None


def _invalidity(event: SendRequested) -> str | None:
    return "invalid_request" if isinstance(event, InvalidRequest) else None


def _address(event: SendRequested, *, hash_key: bytes) -> Address | None:
    """Give the address a request names; None when it names a contact."""
    named = event.to.address
    if named is None:
        return None
    kind, value = named
    return Address(kind=kind, value=value, hash=address_hash(hash_key, kind, value))


def _with_recipient(
    resolved: ResolvedRequest, by_hash: Mapping[str, Contact], by_id: Mapping[ContactId, Contact]
) -> ResolvedRequest:
    """Refuse also who is known by an address that the platform showed and that cannot be sent to."""
    address, named = resolved.address, resolved.received.event.to.contact_id
    if address is not None:
        found = by_hash.get(address.hash)
        if found is None and not resolved.is_possible:
            return replace(resolved, refusal="impossible_number")
        return replace(resolved, contact=found and replace(found, address=address))
    contact = by_id.get(ContactId(named)) if named else None
    if contact and recipient_of(contact.address) is None:
        return replace(resolved, refusal="no_address")
    return replace(resolved, contact=contact)


def _body(template: Template, waba: str, snapshot: Snapshot) -> Body:
    category = snapshot.templates.category_at(
        waba=waba, name=template.name, language=template.language.code, now_us=snapshot.now_us
    )
    return Body(form="template", category=category or "unknown", template_unknown=category is None)
