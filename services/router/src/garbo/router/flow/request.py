"""From the event another service wrote to the request that is decided."""

from pydantic import ValidationError

from garbo.common.events.addresses import Recipient
from garbo.common.events.content import Template, TemplateContent
from garbo.common.events.ids import MessageId, address_hash
from garbo.common.events.requests import SendRequested
from garbo.common.events.wire import encode
from garbo.router.domain.instants import to_us, to_us_or_none
from garbo.router.domain.request import Body, Request
from garbo.router.domain.templates import Templates
from garbo.router.domain.values import Value
from garbo.router.flow.directory import Directory
from garbo.router.flow.phone_region import UNKNOWN_REGION, phone_region
from garbo.router.ports.contacts import Address, Contact


class ReceivedRequest(Value, frozen=True):
    """One request as it arrived."""

    event: SendRequested
    trace: str | None = None
    value: bytes = b""
    """Its bytes as they came."""


class ResolvedRequest(Value, frozen=True):
    """One request with its identity, its recipient where known, and why it is refused at the door."""

    event: SendRequested
    trace: str | None
    message_id: MessageId
    body_hash: bytes
    contact: Contact | None
    refusal: str | None
    value: bytes = b""
    """Its bytes as they came."""

    @property
    def campaign(self) -> tuple[str, str] | None:
        """Brand and name of its campaign."""
        return None if self.event.campaign is None else (self.event.brand, self.event.campaign)

    def stored(self) -> bytes:
        """Give the request as it is kept while it may be decided again; read it as one from Kafka."""
        return self.value or encode(self.event)


def address_of(event: SendRequested, *, hash_key: bytes) -> Address | None:
    """Give the address a request names; None when it names a contact."""
    named = event.to.address
    if named is None:
        return None
    kind, value = named
    return Address(kind=kind, value=value, hash=address_hash(hash_key, kind, value))


def recipient_of(address: Address) -> Recipient | None:
    """Give a stored address as a recipient; None when it has not the form of one."""
    try:
        return Recipient.model_validate({address.kind: address.value})
    except ValidationError:
        return None


def request_of(
    ask: ResolvedRequest, contact: Contact, *, directory: Directory, templates: Templates, now_us: int
) -> Request:
    """Write the request in the decision's words, with the templates' categories of this instant."""
    event = ask.event
    waba = directory.waba(event.brand, event.number)
    free = Body(form="free")
    template = event.content.template if isinstance(event.content, TemplateContent) else None
    second = event.fallback.template if event.fallback else None
    place = phone_region(contact.address.value) if contact.address.kind == "phone" else UNKNOWN_REGION
    return Request(
        message_id=ask.message_id,
        request_id=event.request_id,
        client=event.client,
        brand=event.brand,
        purpose=event.purpose,
        body=_body(template, templates, waba=waba, now_us=now_us) if template else free,
        fallback=_body(second, templates, waba=waba, now_us=now_us) if second and not template else None,
        numbers=directory.numbers(event.brand, event.number),
        requested_at_us=to_us(event.requested_at),
        priority=event.priority,
        campaign=event.campaign,
        tags=event.tags,
        reply_to=event.reply_to,
        not_before_us=to_us_or_none(event.not_before),
        expires_at_us=to_us_or_none(event.expires_at),
        recipient_kind=contact.kind,
        channel=event.channel,
        contact=str(contact.contact_id),
        region=place.region,
        country_zones=place.zones,
        case_id=event.case_id,
        override=event.override.rules if event.override else (),
        roles=directory.roles(event.client),
    )


def _body(template: Template, templates: Templates, *, waba: str, now_us: int) -> Body:
    category = templates.category_at(
        waba=waba, name=template.name, language=template.language.code, now_us=now_us
    )
    return Body(form="template", category=category or "unknown", template_unknown=category is None)
