"""How records come in: one lane over all topics that say something of a message, one of erasures."""

from collections.abc import Sequence
from typing import Final

from garbo.analytics.flow import Forget, RecordFacts
from garbo.common.events.base import Event
from garbo.common.events.erasure import ContactErased
from garbo.common.events.submitted import SUBMITTED
from garbo.common.events.topics import (
    CONTACT_ERASED,
    CONVERSATION_CARE,
    DECISION_MADE,
    ENGAGEMENT_PROMO,
    INBOUND_MESSAGE,
    MESSAGE_STATUS,
    SEND_RESULT,
)
from garbo.common.runtime.deliver import Delivered, Lane

READ: Final = (
    SUBMITTED,
    DECISION_MADE,
    SEND_RESULT,
    MESSAGE_STATUS,
    INBOUND_MESSAGE,
    CONVERSATION_CARE,
    ENGAGEMENT_PROMO,
)


def facts_lane(record_facts: RecordFacts) -> Lane[Event]:
    """Consume as `analytics.facts`; a batch is one transaction."""

    async def handle(batch: Sequence[Delivered[Event]]) -> None:
        await record_facts.record([record.event for record in batch])

    return Lane(group="analytics.facts", topics=READ, handle=handle)


def erasures_lane(forget: Forget) -> Lane[ContactErased]:
    """Consume as `analytics.erasures`."""

    async def handle(batch: Sequence[Delivered[ContactErased]]) -> None:
        await forget.obey([record.event for record in batch])

    return Lane(group="analytics.erasures", topics=(CONTACT_ERASED,), handle=handle)
