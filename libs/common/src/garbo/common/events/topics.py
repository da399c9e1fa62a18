"""The topics, declared once. `garbo topics plan|apply` makes a cluster agree with this table."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar

from garbo.common.events.base import Event
from garbo.common.events.contacts import CampaignChanged, CaseChanged, ConsentRecorded, ContactUpdated
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.engagement import CareMessage, PromoEngaged
from garbo.common.events.erasure import ContactErased
from garbo.common.events.grants import SendGranted
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.operators import OperatorActed
from garbo.common.events.pauses import PauseChanged
from garbo.common.events.platform import PlatformChange
from garbo.common.events.reads import ReadRequested
from garbo.common.events.received_files import InboundMedia
from garbo.common.events.requests import SendRequested
from garbo.common.events.results import SendResult
from garbo.common.events.shown import AddressShown
from garbo.common.events.statuses import MessageStatus
from garbo.common.events.template_observed import TemplateObserved

E_co = TypeVar("E_co", bound=Event, covariant=True)

SERVICES: Final = ("ingest", "router", "sender", "analytics")
OPERATORS: Final = "operators"
"""People at the command line: they write what they did."""
WITH_TEXT: Final = timedelta(days=7)
"""Retention of topics that carry text or addresses."""
IDS_ONLY: Final = timedelta(days=30)
"""Retention of topics that carry ids only."""
SEGMENT: Final = timedelta(days=1)
"""How long records go into one segment. A broker deletes whole ones, by their newest record: a record may
outlive the retention of its topic by this."""
MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
"""Meta's largest webhook is 3 MB; one part of it can be nearly all of it."""

MAX_REQUEST_BYTES: Final = 256 * 1024
"""What clients ask for or tell. WhatsApp's own limits are far lower, and what is made of it must fit, too:
a number written `1E9` is four times as long when it is written again."""
ORIGIN_BYTES: Final = 128 * 1024
"""Room for the headers that say where a dead letter came from and why."""


@dataclass(frozen=True, slots=True)
class Topic(Generic[E_co]):
    """One topic: its name, what its records are, who writes and reads it, how it is kept."""

    name: str
    event: type[E_co]
    key: str
    """What the record key is, in words."""
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    """Who reads it today; empty where the contract is there before its reader."""
    partitions: int = 12
    retention: timedelta = WITH_TEXT
    max_message_bytes: int = MAX_MESSAGE_BYTES
    max_event_bytes: int = MAX_MESSAGE_BYTES
    """An event's own bytes: less where others make records of it, which must fit their topics as well."""
    is_compacted: bool = False
    """The newest record of each key is kept for ever, and `retention` says nothing."""

    is_of_nobody: bool = False
    """Nothing in its records leads to a person."""

    @property
    def kept(self) -> str:
        """Say how long records are kept."""
        return "the newest of each key" if self.is_compacted else f"{self.retention.days} days"


@dataclass(frozen=True, slots=True)
class RawTopic:
    """A topic whose records are bytes as they came: webhook bodies, dead letters, redrives."""

    name: str
    writers: tuple[str, ...] = ()
    """Services; operators' commands write where they must."""
    readers: tuple[str, ...] = ()
    partitions: int = 3
    retention: timedelta = WITH_TEXT
    max_message_bytes: int = MAX_MESSAGE_BYTES + ORIGIN_BYTES

    @property
    def kept(self) -> str:
        """Say how long records are kept."""
        return f"{self.retention.days} days"


_ADDRESS = "keyed hash of the person's address"
_CONTACT = "contact id"

INBOUND_MESSAGE: Final = Topic(
    "garbo.inbound.message.v1", InboundMessage, _ADDRESS, ("ingest",), ("router", "sender", "analytics")
)
MESSAGE_STATUS: Final = Topic(
    "garbo.message.status.v1", MessageStatus, _ADDRESS, ("ingest",), ("router", "sender", "analytics")
)
PLATFORM_CHANGE: Final = Topic(
    "garbo.platform.change.v1",
    PlatformChange,
    "account or number id; of one person's: the keyed hash of their address",
    ("ingest",),
    ("router", "sender"),
    partitions=3,
)
TEMPLATE_OBSERVED: Final = Topic(
    "garbo.template.observed.v1",
    TemplateObserved,
    "account, name and language of a template; account",
    ("sender",),
    ("ingest", "router", "sender"),
    partitions=1,  # so that what is read of an account stands behind all of its templates
    is_compacted=True,
)
SEND_REQUESTED: Final = Topic(
    "garbo.send.requested.v1",
    SendRequested,
    "anything: correctness does not rest on it",
    ("other services", "ingest", "router"),
    ("router", "analytics"),
    max_event_bytes=MAX_REQUEST_BYTES,
)
CONTACT_UPDATED: Final = Topic(
    "garbo.contact.updated.v1",
    ContactUpdated,
    _ADDRESS,
    ("other services", "ingest"),
    ("router",),
    partitions=6,
    max_event_bytes=MAX_REQUEST_BYTES,
)
CONSENT_RECORDED: Final = Topic(
    "garbo.consent.recorded.v1",
    ConsentRecorded,
    _ADDRESS,
    ("other services", "ingest"),
    ("router",),
    partitions=6,
    max_event_bytes=MAX_REQUEST_BYTES,
)
CASE_CHANGED: Final = Topic(
    "garbo.case.changed.v1",
    CaseChanged,
    _ADDRESS,
    ("other services", "ingest"),
    ("router",),
    partitions=6,
    max_event_bytes=MAX_REQUEST_BYTES,
)
CAMPAIGN_CHANGED: Final = Topic(
    "garbo.campaign.changed.v1",
    CampaignChanged,
    "brand and campaign",
    ("other services", "ingest"),
    ("router",),
    partitions=3,
    max_event_bytes=MAX_REQUEST_BYTES,
)
READ_REQUESTED: Final = Topic(
    "garbo.read.requested.v1",
    ReadRequested,
    "reference of the message that was read",
    ("other services", "ingest"),
    ("sender",),
    partitions=3,
    retention=timedelta(days=1),  # it is worth nothing after minutes
    max_event_bytes=MAX_REQUEST_BYTES,
)
DECISION_MADE: Final = Topic(
    "garbo.decision.made.v1", DecisionMade, _CONTACT, ("router",), ("analytics", "anyone"), retention=IDS_ONLY
)
SEND_CARE: Final = Topic("garbo.send.care.v1", SendGranted, _CONTACT, ("router",), ("sender",))
SEND_PROMO: Final = Topic("garbo.send.promo.v1", SendGranted, _CONTACT, ("router",), ("sender",))
SEND_RESULT: Final = Topic(
    "garbo.send.result.v1", SendResult, _CONTACT, ("sender",), ("router", "analytics"), retention=IDS_ONLY
)
ADDRESS_SHOWN: Final = Topic(
    "garbo.address.shown.v1", AddressShown, _CONTACT, ("sender",), ("router",), partitions=3
)
PAUSE_CHANGED: Final = Topic(
    "garbo.pause.changed.v1",
    PauseChanged,
    "scope and name of what is paused",
    ("sender",),
    ("anyone",),
    partitions=1,
    retention=IDS_ONLY,
    is_of_nobody=True,
)
OPERATOR_ACTED: Final = Topic(
    "garbo.operator.acted.v1",
    OperatorActed,
    "service",
    (OPERATORS,),
    (OPERATORS,),
    partitions=1,
    retention=IDS_ONLY,
    is_of_nobody=True,
)
CONVERSATION_CARE: Final = Topic(
    "garbo.conversation.care.v1",
    CareMessage,
    _CONTACT,
    ("router",),
    ("sender", "help desks, bots", "analytics"),
)
INBOUND_MEDIA: Final = Topic(
    "garbo.inbound.media.v1",
    InboundMedia,
    _CONTACT,
    ("sender",),
    ("help desks, bots",),
    partitions=6,
    retention=IDS_ONLY,
)
ENGAGEMENT_PROMO: Final = Topic(
    "garbo.engagement.promo.v1",
    PromoEngaged,
    _CONTACT,
    ("router",),
    ("analytics", "CRMs"),
    retention=IDS_ONLY,
)
CONTACT_ERASED: Final = Topic(
    "garbo.contact.erased.v1",
    ContactErased,
    _CONTACT,
    ("router",),
    ("sender", "analytics", "help desks, CRMs"),
    partitions=3,
    retention=IDS_ONLY,
)

TOPICS: Final[tuple[Topic[Any], ...]] = (
    INBOUND_MESSAGE,
    MESSAGE_STATUS,
    PLATFORM_CHANGE,
    TEMPLATE_OBSERVED,
    SEND_REQUESTED,
    CONTACT_UPDATED,
    CONSENT_RECORDED,
    CASE_CHANGED,
    CAMPAIGN_CHANGED,
    READ_REQUESTED,
    DECISION_MADE,
    SEND_CARE,
    SEND_PROMO,
    SEND_RESULT,
    ADDRESS_SHOWN,
    PAUSE_CHANGED,
    OPERATOR_ACTED,
    CONVERSATION_CARE,
    INBOUND_MEDIA,
    ENGAGEMENT_PROMO,
    CONTACT_ERASED,
)


def dead_letters(service: str) -> RawTopic:
    """Name the topic where a service's refused records go."""
    return RawTopic(f"garbo.{service}.dlq.v1", writers=(service,))


def redrive(service: str) -> RawTopic:
    """Name the topic from which a service takes dead letters that are to be tried again."""
    return RawTopic(f"garbo.{service}.redrive.v1", readers=(service,))


WEBHOOK_RECEIVED: Final = RawTopic("garbo.webhook.received.v1", writers=("ingest",), partitions=6)
"""Each body as the platform sent it, so that it can be read again (`garbo replay`)."""
RAW_TOPICS: Final = (
    WEBHOOK_RECEIVED,
    *(topic for service in SERVICES for topic in (dead_letters(service), redrive(service))),
)
EVERY_TOPIC: Final[tuple[Topic[Any] | RawTopic, ...]] = (*TOPICS, *RAW_TOPICS)
_LIMITS: Final[dict[str, int]] = {t.name: t.max_message_bytes for t in EVERY_TOPIC}


def record_limit_bytes(topic: str) -> int:
    """Give how large a record of a topic may be, as the broker measures it: alone in its batch."""
    return _LIMITS.get(topic, MAX_MESSAGE_BYTES)
