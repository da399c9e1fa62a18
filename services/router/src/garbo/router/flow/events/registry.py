"""Every kind of event the router takes: its topic, and who handles it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from garbo.common.events.base import Event
from garbo.common.events.topics import (
    ADDRESS_SHOWN,
    CAMPAIGN_CHANGED,
    CASE_CHANGED,
    CONSENT_RECORDED,
    CONTACT_UPDATED,
    INBOUND_MESSAGE,
    MESSAGE_STATUS,
    PLATFORM_CHANGE,
    SEND_RESULT,
    TEMPLATE_OBSERVED,
    Topic,
)
from garbo.router.flow.events.campaign import CampaignHandler
from garbo.router.flow.events.case import CaseHandler
from garbo.router.flow.events.consent import ConsentHandler
from garbo.router.flow.events.contact import ContactHandler
from garbo.router.flow.events.delivery import AddressShownHandler, ResultHandler, StatusHandler
from garbo.router.flow.events.handler import EventContext, EventHandler, ReceivedEvent
from garbo.router.flow.events.inbound_message import InboundMessageHandler
from garbo.router.flow.events.platform_change import PlatformChangeHandler
from garbo.router.flow.events.template_observed import TemplateObservedHandler

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class EventKind(Generic[E]):
    """One kind of event."""

    topic: Topic[E]
    handler: Callable[[E, str | None, EventContext], EventHandler]
    """Of an event, its trace and the context."""


EVENT_KINDS: Final = (
    EventKind(INBOUND_MESSAGE, InboundMessageHandler),
    EventKind(MESSAGE_STATUS, StatusHandler),
    EventKind(SEND_RESULT, ResultHandler),
    EventKind(ADDRESS_SHOWN, AddressShownHandler),
    EventKind(CONSENT_RECORDED, ConsentHandler),
    EventKind(CASE_CHANGED, CaseHandler),
    EventKind(CONTACT_UPDATED, ContactHandler),
    EventKind(CAMPAIGN_CHANGED, CampaignHandler),
    EventKind(PLATFORM_CHANGE, PlatformChangeHandler),
    EventKind(TEMPLATE_OBSERVED, TemplateObservedHandler),
)
EVENT_TOPICS: Final[tuple[Topic[Any], ...]] = tuple(kind.topic for kind in EVENT_KINDS)
_KIND_OF: Final[dict[type[Event], EventKind[Any]]] = {kind.topic.event: kind for kind in EVENT_KINDS}


def handler_of(received: ReceivedEvent, context: EventContext) -> EventHandler:
    """Make the handler of an event."""
    event = received.event
    return _KIND_OF[type(event)].handler(event, received.trace, context)
