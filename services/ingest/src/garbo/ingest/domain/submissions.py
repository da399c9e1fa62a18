"""What a client submits over HTTP becomes the same event it could have written to Kafka itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar
from uuid import UUID

from pydantic import ValidationError

from garbo.common.events.contacts import CampaignChanged, CaseChanged, ConsentRecorded, ContactUpdated
from garbo.common.events.ids import address_hash, platform_message_ref, request_id_of
from garbo.common.events.reads import ReadRequested
from garbo.common.events.requests import SendRequested
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.events.topics import (
    CAMPAIGN_CHANGED,
    CASE_CHANGED,
    CONSENT_RECORDED,
    CONTACT_UPDATED,
    READ_REQUESTED,
    SEND_REQUESTED,
    Topic,
)
from garbo.ingest.domain.faults import Fault, faults_of
from garbo.ingest.domain.publisher import Publisher
from garbo.ingest.domain.templates import template_faults
from garbo.ingest.domain.values import Value

MAX_ELEMENTS: Final = 1000

Submission: TypeAlias = (
    SendRequested | ConsentRecorded | CaseChanged | ContactUpdated | CampaignChanged | ReadRequested
)
S = TypeVar("S", SendRequested, ConsentRecorded, CaseChanged, ContactUpdated, CampaignChanged, ReadRequested)


@dataclass(frozen=True, slots=True)
class Form(Generic[S]):
    """A kind of submission, taken at `/v1/<name>`."""

    name: str
    topic: Topic[S]
    shown: tuple[str, ...]
    """The fields by which the answer names each element."""
    clock_fields: tuple[str, ...]
    """Instants that are now where the body gives none."""
    id_field: str | None = None
    """Derived from the `Idempotency-Key`, or minted. None where what it says is already its id."""


MESSAGES: Final = Form(
    "messages", SEND_REQUESTED, ("request_id", "message_id"), ("requested_at",), "request_id"
)
CONSENTS: Final = Form("consents", CONSENT_RECORDED, ("consent_id",), ("recorded_at",), "consent_id")
CASES: Final = Form("cases", CASE_CHANGED, ("case_id", "action"), ("occurred_at", "recorded_at"))
CONTACTS: Final = Form("contacts", CONTACT_UPDATED, ("update_id",), ("occurred_at",), "update_id")
CAMPAIGNS: Final = Form("campaigns", CAMPAIGN_CHANGED, ("campaign", "action"), ("occurred_at",))
READS: Final = Form("reads", READ_REQUESTED, ("message_id",), ("requested_at",))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing of the submission was taken.

    `invalid`: correct it; `forbidden`: not with this key; `reused`: its id is that of something else.
    """

    why: Literal["invalid", "forbidden", "reused"]
    faults: Sequence[Fault]
    known: Sequence[Submission] = ()
    """Where an id is reused: what bears it, known by the ids that the first answer named."""


@dataclass(frozen=True, slots=True)
class Filler:
    """What fills the fields a body may leave out."""

    publisher: Publisher
    idempotency_key: str | None
    now: datetime
    new_id: Callable[[], UUID]
    templates: TemplateRegistry = field(default_factory=TemplateRegistry)
    """What the platform shows of its templates."""

    def id_at(self, index: int | None) -> UUID:
        """Derive the id from the `Idempotency-Key` and the place in the array, or mint one."""
        if self.idempotency_key is None:
            return self.new_id()
        return request_id_of(self.publisher.id, self.idempotency_key, index)


Answer: TypeAlias = list[S] | Refusal


def read_submissions(body: Value, form: Form[S], filler: Filler) -> Answer[S]:
    """Read one object or an array of up to 1,000: all of it, or a refusal that names every fault."""
    alone = not isinstance(body, list)
    elements: list[Any] = [body] if alone else list(body)  # type: ignore[call-overload] # a list, or alone
    if not 0 < len(elements) <= MAX_ELEMENTS:
        return Refusal("invalid", [Fault(None, (), f"must hold 1 to {MAX_ELEMENTS} elements: split it")])
    events: list[S] = []
    faults: list[Fault] = []
    for position, element in enumerate(elements):
        read = _read(element, form, filler, index=None if alone else position)
        if isinstance(read, list):
            faults.extend(read)
        else:
            events.append(read)
    if faults:
        return Refusal("invalid", faults)
    forbidden = [
        fault
        for position, event in enumerate(events)
        for fault in _forbidden(event, filler.publisher, index=None if alone else position)
    ]
    return Refusal("forbidden", forbidden) if forbidden else events


def names_ids(body: Value, form: Form[S]) -> bool:
    """Say whether a body gives an id of its own to anything it holds."""
    elements = body if isinstance(body, list) else [body]
    return any(isinstance(one, dict) and one.get(form.id_field) is not None for one in elements)


def record_key(event: Submission, hash_key: bytes) -> str:
    """Give the record key: of the person (keyed hash or contact id), the campaign, or the message read."""
    if isinstance(event, ReadRequested):
        return platform_message_ref(event.message_id)
    if isinstance(event, CampaignChanged):
        return f"{event.brand}:{event.campaign}"
    if (address := event.to.address) is not None:
        return address_hash(hash_key, *address)
    return str(event.to.contact_id)


def uuid7(now: datetime, noise: int) -> UUID:
    """Mint a time-ordered id (RFC 9562, version 7) from an instant and 74 random bits."""
    milliseconds = int(now.timestamp() * 1000) & (1 << 48) - 1
    rand_a, rand_b = noise >> 62 & 0xFFF, noise & (1 << 62) - 1
    return UUID(int=milliseconds << 80 | 7 << 76 | rand_a << 64 | 2 << 62 | rand_b)


def _read(element: Value, form: Form[S], filler: Filler, *, index: int | None) -> S | list[Fault]:
    if not isinstance(element, dict):
        return [Fault(index, (), "must be a JSON object")]
    filled = {"client": filler.publisher.id, **dict.fromkeys(form.clock_fields, filler.now)}
    filled |= {name: value for name, value in element.items() if value is not None or name not in filled}
    if form.id_field is not None and filled.get(form.id_field) is None:
        filled[form.id_field] = filler.id_at(index)
    try:
        event = form.topic.event.model_validate(filled, extra="forbid")
    except ValidationError as error:
        return faults_of(error, index=index)
    if not isinstance(event, SendRequested):
        return event
    faults = template_faults(event, filler.publisher, filler.templates, filler.now, index=index)
    return faults or event


def _forbidden(event: Submission, publisher: Publisher, *, index: int | None) -> list[Fault]:
    faults = []
    if event.client != publisher.id:
        faults.append(Fault(index, ("client",), "is not the client of this key: leave it out"))
    brand = None if isinstance(event, ReadRequested) else event.brand
    if brand is not None and brand not in publisher.brands:
        faults.append(Fault(index, ("brand",), "is not a brand of this client: see the business file"))
    if isinstance(event, SendRequested) and event.purpose not in publisher.purposes:
        faults.append(Fault(index, ("purpose",), "is not a purpose of this client: see the business file"))
    if _needs_promo(event) and "promo" not in publisher.purposes:
        faults.append(Fault(index, ("client",), "needs the purpose promo for this: see the business file"))
    if isinstance(event, ContactUpdated) and event.same_as and not publisher.may_link:
        faults.append(Fault(index, ("same_as",), "needs the scope link: see the business file"))
    number = event.number if isinstance(event, ConsentRecorded | ReadRequested) else None
    if number and number not in publisher.numbers:
        faults.append(Fault(index, ("number",), "is not a number of this client's brands"))
    return faults


def _needs_promo(event: Submission) -> bool:
    """Say whether it speaks of promo: a campaign, or marketing consent that is not taken back."""
    if isinstance(event, ConsentRecorded):
        return event.purpose == "marketing" and event.action not in ("withdrawn", "expired")
    return isinstance(event, CampaignChanged)
