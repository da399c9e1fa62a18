"""A grant: how an allow is written down, and what the sender is told of it."""

import orjson

from garbo.common.events.content import Content, TemplateContent
from garbo.router.domain.decision import Decision
from garbo.router.domain.grant import FIRST_EPOCH, Grant, day_of_instant, grant_id_of
from garbo.router.domain.instants import to_datetime
from garbo.router.flow.decision_record import Json, json_record
from garbo.router.flow.request import Candidate, ReceivedRequest, recipient_of
from garbo.router.ports.contacts import Contact
from garbo.router.ports.publisher import Rendered


def new_grant(
    candidate: Candidate,
    decision: Decision,
    *,
    policy_version: str = "",
    epoch: int = FIRST_EPOCH,
    budget_leases: tuple[int, ...] = (),
) -> Grant | None:
    """Write down the permission of an allow."""
    terms, event = decision.terms, candidate.received.event
    if terms is None or decision.message_class is None:
        return None
    return Grant(
        grant_id=grant_id_of(candidate.message_id, day_of_instant(terms.not_before_us)),
        message_id=candidate.message_id,
        contact_id=candidate.contact.contact_id,
        lane=terms.lane,
        message_class=decision.message_class,
        brand=event.brand,
        number=terms.number,
        epoch=epoch,
        state="reserved",
        not_before_us=terms.not_before_us,
        valid_until_us=terms.valid_until_us,
        window_until_us=terms.window_until_us,
        campaign=event.campaign,
        category=decision.category,
        tags=event.tags,
        by_fallback=decision.by_fallback,
        policy_version=policy_version,
        budget_leases=budget_leases,
        request=candidate.received.stored(),
    )


def grant_record(received: ReceivedRequest, contact: Contact, grant: Grant) -> Rendered:
    """Tell the sender: the same record for each repetition of the request."""
    event, until_us = received.event, grant.window_until_us
    content: Content = event.content
    if grant.by_fallback and event.fallback and event.fallback.template:
        content = TemplateContent(template=event.fallback.template)
    to = event.to if event.to.address else recipient_of(contact.address) or event.to
    not_before = to_datetime(grant.not_before_us)
    record: Json = {
        "grant_id": grant.grant_id,
        "epoch": grant.epoch,
        "message_id": grant.message_id,
        "request_id": event.request_id,
        "client": event.client,
        "brand": event.brand,
        "contact_id": grant.contact_id,
        "lane": grant.lane,
        "message_class": grant.message_class,
        "category": grant.category,
        "campaign": grant.campaign,
        "number": grant.number,
        "to": orjson.Fragment(to.model_dump_json(exclude_none=True)),
        "content": orjson.Fragment(content.model_dump_json(exclude_none=True)),
        "reply_to": event.reply_to,
        "not_before": not_before,
        "valid_until": to_datetime(grant.valid_until_us),
        "window_until": None if until_us is None else to_datetime(until_us),
        "decided_at": not_before,
    }
    return Rendered(f"{grant.grant_id}:{grant.epoch}", not_before, json_record(record))
