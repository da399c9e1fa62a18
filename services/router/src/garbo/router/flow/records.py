"""The records of a decision and of its grant: their ids, what the rules decided, how it is taken back.

They are written as bytes at once: a model in between would take longer than the decision. A
property test holds the bytes to the models.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

import orjson

from garbo.common.events.content import Content, TemplateContent
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.submitted import InvalidRequest
from garbo.common.events.wire import encode
from garbo.router.domain.decision import Decision
from garbo.router.domain.grant import FIRST_EPOCH, Grant, day_of_instant, grant_id_of
from garbo.router.domain.instants import to_datetime
from garbo.router.domain.rules.rule import RuleResult
from garbo.router.flow.request import Candidate, ReceivedRequest, ResolvedRequest, recipient_of
from garbo.router.ports.contacts import Contact
from garbo.router.ports.publisher import Rendered

_OPTIONS: Final = orjson.OPT_UTC_Z
Json = dict[str, Any]
_REUSES: Final = UUID("6b1cbbd0-6a4f-5f0e-9c0d-0c3f5b7d2a04")
_DECISION_BITS: Final = 0x0C3F_0000_0000
_OF_ONE_DECISION: Final = (
    "rule",
    "then_rule",
    "limit",
    "used",
    "window",
    "next_allowed_at",
    "due_at",
    "expires_at",
    "grant",
)
"""What belongs to a decision of the rules, and to no other record of the message."""


def refused_record(
    resolved: ResolvedRequest, reason: str, *, policy_version: str, now_us: int
) -> DecisionMade:
    """Tell a request that never reached the rules: unknown client, unknown contact, id used twice."""
    event = resolved.received.event
    reused = reason == "id_reused"
    return DecisionMade(
        decision_id=_reuse_id(resolved) if reused else decision_id_of(resolved.message_id, 1),
        sequence=0 if reused else 1,
        message_id=resolved.message_id,
        request_id=event.request_id,
        client=event.client,
        brand=event.brand,
        verdict="deny",
        final=True,
        purpose=event.purpose,
        campaign=event.campaign,
        reason=reason,
        fault=event.fault if isinstance(event, InvalidRequest) else None,
        policy_version=policy_version,
        requested_at=event.requested_at,
        decided_at=to_datetime(now_us),
    )


def rendered(record: DecisionMade) -> Rendered:
    """Write a record from its model."""
    return Rendered(record.event_id, record.happened_at, encode(record))


def withdrawn_record(last: DecisionMade, *, reason: str, now_us: int) -> DecisionMade:
    """Tell that an allow was taken back, or waiting ended: the next record of the same message.

    No rule decided it and no instant helps, so what the last record said of either is left out.
    """
    sequence = last.sequence + 1
    return last.model_copy(
        update={
            "decision_id": decision_id_of(last.message_id, sequence),
            "sequence": sequence,
            "verdict": "deny",
            "final": True,
            "reason": reason,
            "decided_at": to_datetime(now_us),
            **dict.fromkeys(_OF_ONE_DECISION),
            "provisional": False,
        }
    )


def decision_record(
    candidate: Candidate,
    decision: Decision,
    *,
    policy_version: str,
    state_version: int,
    now_us: int,
    grant: Grant | None = None,
) -> Rendered:
    """Tell a decision of the rules, with every check it rests on, and the grant it gave."""
    event, decided_at = candidate.received.event, to_datetime(now_us)
    decision_id = decision_id_text(candidate.message_id, candidate.sequence)
    record: Json = {
        "decision_id": decision_id,
        "sequence": candidate.sequence,
        "message_id": candidate.message_id,
        "request_id": event.request_id,
        "client": event.client,
        "brand": event.brand,
        "contact_id": candidate.contact.contact_id,
        "verdict": decision.verdict,
        "final": decision.verdict != "defer",
        "message_class": decision.message_class,
        "purpose": event.purpose,
        "campaign": event.campaign,
        "category": decision.category,
        "template_unknown": decision.template_unknown,
        "reclassified": decision.reclassified,
        "demoted": decision.demoted,
        **_why(decision),
        "overridden": decision.overridden,
        "checks": [_check(result) for result in decision.results],
        "grant": _grant_given(grant) if grant else None,
        "policy_version": policy_version,
        "state_version": state_version,
        "tzdata": decision.tzdata,
        "requested_at": event.requested_at,
        "decided_at": decided_at,
    }
    return Rendered(decision_id, decided_at, json_record(record))


def decision_id_of(message_id: UUID, sequence: int) -> UUID:
    """Name the n-th decision of a message: the message id with other last bits."""
    return UUID(int=message_id.int ^ (_DECISION_BITS + sequence))


def decision_id_text(message_id: UUID, sequence: int) -> str:
    """Write that name without making an id of it first."""
    digits = f"{message_id.int ^ (_DECISION_BITS + sequence):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


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
        home_id=candidate.contact.home_id,
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


def _why(decision: Decision) -> Json:
    deciding, free_us = decision.deciding, decision.next_allowed_at_us
    return {
        "rule": deciding.rule.reach.id if deciding else None,
        "then_rule": decision.then_rule,
        "reason": decision.reason,
        "limit": deciding.limit if deciding else None,
        "used": deciding.used if deciding else None,
        "window": deciding.window if deciding else None,
        "next_allowed_at": None if free_us is None else to_datetime(free_us),
        "provisional": decision.provisional,
        "due_at": None if decision.due_at_us is None else to_datetime(decision.due_at_us),
        "expires_at": None if decision.expires_at_us is None else to_datetime(decision.expires_at_us),
    }


def _check(result: RuleResult) -> Json:
    said: Json = {"rule": result.rule.reach.id, "type": result.rule.type, "ok": result.ok}
    if result.used is not None:
        said["used"] = result.used
    if result.limit is not None:
        said["limit"] = result.limit
    if result.window is not None:
        said["window"] = result.window
    if result.allowed_from_us is not None:
        said["free_at"] = to_datetime(result.allowed_from_us)
    said["by"] = result.by
    return said


def _grant_given(grant: Grant) -> Json:
    return {
        "id": grant.grant_id,
        "lane": grant.lane,
        "number": grant.number,
        "epoch": grant.epoch,
        "not_before": to_datetime(grant.not_before_us),
        "valid_until": to_datetime(grant.valid_until_us),
    }


def _reuse_id(resolved: ResolvedRequest) -> UUID:
    """Name the answer to a second submission by what it asked: its repeats get the same result."""
    return uuid5(_REUSES, f"{resolved.message_id}:{resolved.body_hash.hex()}")


def json_record(record: Json) -> bytes:
    """Write a record; what it does not say is left out."""
    said = {key: value for key, value in record.items() if value is not None}
    return orjson.dumps(said, option=_OPTIONS, default=_text)


def _text(value: object) -> str:
    """Write what orjson does not know: the UUIDs of the database's driver, and moments of pydantic's zone."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
