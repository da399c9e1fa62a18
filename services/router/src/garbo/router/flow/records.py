"""From a decision to the records that tell it."""

from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from garbo.common.events.content import TemplateContent
from garbo.common.events.decisions import Check, DecisionMade, GrantGiven
from garbo.common.events.grants import SendGranted
from garbo.router.domain.decide import Decision
from garbo.router.domain.grant import Grant, day_of_instant, grant_id_of
from garbo.router.domain.instants import to_datetime
from garbo.router.domain.rules import Answer
from garbo.router.flow.ask import Ask, recipient_of
from garbo.router.ports import Contact

_REUSES: Final = UUID("6b1cbbd0-6a4f-5f0e-9c0d-0c3f5b7d2a04")
_DECISION_BITS: Final = 0x0C3F_0000_0000
FIRST_EPOCH: Final = 1
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


def refused_record(ask: Ask, reason: str, *, policy_version: str, now_us: int) -> DecisionMade:
    """Tell a request that never reached the rules: unknown client, unknown contact, id used twice."""
    event = ask.event
    reused = reason == "id_reused"
    return DecisionMade(
        decision_id=_reuse_id(ask) if reused else decision_id_of(ask.message_id, 1),
        sequence=0 if reused else 1,
        message_id=ask.message_id,
        request_id=event.request_id,
        client=event.client,
        brand=event.brand,
        verdict="deny",
        final=True,
        purpose=event.purpose,
        campaign=event.campaign,
        reason=reason,
        policy_version=policy_version,
        requested_at=event.requested_at,
        decided_at=to_datetime(now_us),
    )


def decided_record(  # noqa: PLR0913 - all that a record tells
    ask: Ask,
    contact: Contact,
    decision: Decision,
    *,
    policy_version: str,
    state_version: int,
    now_us: int,
    sequence: int = 1,
    epoch: int = FIRST_EPOCH,
) -> DecisionMade:
    """Tell a decision of the rules, with every check it rests on."""
    event, deciding = ask.event, decision.deciding
    return DecisionMade(
        decision_id=decision_id_of(ask.message_id, sequence),
        sequence=sequence,
        message_id=ask.message_id,
        request_id=event.request_id,
        client=event.client,
        brand=event.brand,
        contact_id=contact.contact_id,
        verdict=decision.verdict,
        final=decision.verdict != "defer",
        message_class=decision.message_class,
        purpose=event.purpose,
        campaign=event.campaign,
        category=decision.category,
        template_unknown=decision.template_unknown,
        reclassified=decision.reclassified,
        demoted=decision.demoted,
        rule=deciding.rule.reach.id if deciding else None,
        then_rule=decision.then_rule,
        reason=decision.reason,
        limit=deciding.limit if deciding else None,
        used=deciding.used if deciding else None,
        window=deciding.window if deciding else None,
        next_allowed_at=_instant(decision.next_allowed_at_us),
        provisional=decision.provisional,
        due_at=_instant(decision.due_at_us),
        expires_at=_instant(decision.expires_at_us),
        overridden=decision.overridden,
        checks=tuple(_check(answer) for answer in decision.answers),
        grant=_grant_given(ask, decision, epoch=epoch),
        policy_version=policy_version,
        state_version=state_version,
        tzdata=decision.tzdata,
        requested_at=event.requested_at,
        decided_at=to_datetime(now_us),
    )


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


def new_grant(
    ask: Ask,
    contact: Contact,
    decision: Decision,
    *,
    policy_version: str = "",
    epoch: int = FIRST_EPOCH,
    budget_slices: tuple[int, ...] = (),
) -> Grant | None:
    """Write down the permission of an allow."""
    terms = decision.terms
    if terms is None or decision.message_class is None:
        return None
    return Grant(
        grant_id=grant_id_of(ask.message_id, day_of_instant(terms.not_before_us)),
        message_id=ask.message_id,
        contact_id=contact.contact_id,
        lane=terms.lane,
        message_class=decision.message_class,
        brand=ask.event.brand,
        number=terms.number,
        epoch=epoch,
        state="reserved",
        not_before_us=terms.not_before_us,
        valid_until_us=terms.valid_until_us,
        window_until_us=terms.window_until_us,
        campaign=ask.event.campaign,
        category=decision.category,
        tags=ask.event.tags,
        by_fallback=decision.by_fallback,
        policy_version=policy_version,
        budget_slices=budget_slices,
        request=ask.stored(),
    )


def granted_record(ask: Ask, contact: Contact, grant: Grant) -> SendGranted:
    """Tell the sender: the same record for each repetition of the request."""
    event, until_us = ask.event, grant.window_until_us
    content = event.content
    if grant.by_fallback and event.fallback and event.fallback.template:
        content = TemplateContent(template=event.fallback.template)
    return SendGranted(
        grant_id=grant.grant_id,
        epoch=grant.epoch,
        message_id=grant.message_id,
        request_id=event.request_id,
        client=event.client,
        brand=event.brand,
        contact_id=grant.contact_id,
        lane=grant.lane,
        message_class=grant.message_class,
        category=grant.category,
        campaign=grant.campaign,
        number=grant.number,
        to=event.to if event.to.address else recipient_of(contact.address) or event.to,
        content=content,
        reply_to=event.reply_to,
        not_before=to_datetime(grant.not_before_us),
        valid_until=to_datetime(grant.valid_until_us),
        window_until=None if until_us is None else to_datetime(until_us),
        decided_at=to_datetime(grant.not_before_us),
    )


def decision_id_of(message_id: UUID, sequence: int) -> UUID:
    """Name the n-th decision of a message: the message id with other last bits."""
    return UUID(int=message_id.int ^ (_DECISION_BITS + sequence))


def decision_id_text(message_id: UUID, sequence: int) -> str:
    """Write that name without making an id of it first."""
    digits = f"{message_id.int ^ (_DECISION_BITS + sequence):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _reuse_id(ask: Ask) -> UUID:
    """Name the answer to a second submission by what it asked: its repeats get the same answer."""
    return uuid5(_REUSES, f"{ask.message_id}:{ask.body_hash.hex()}")


def _instant(at_us: int | None) -> datetime | None:
    return None if at_us is None else to_datetime(at_us)


def _check(answer: Answer) -> Check:
    return Check(
        rule=answer.rule.reach.id,
        type=answer.type,
        ok=answer.ok,
        used=answer.used,
        limit=answer.limit,
        window=answer.window,
        free_at=_instant(answer.free_at_us),
        by=tuple(str(message_id) for message_id in answer.by),
    )


def _grant_given(ask: Ask, decision: Decision, *, epoch: int) -> GrantGiven | None:
    terms = decision.terms
    if terms is None:
        return None
    return GrantGiven(
        id=grant_id_of(ask.message_id, day_of_instant(terms.not_before_us)),
        lane=terms.lane,
        number=terms.number,
        epoch=epoch,
        not_before=to_datetime(terms.not_before_us),
        valid_until=to_datetime(terms.valid_until_us),
    )
