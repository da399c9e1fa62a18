"""What every decision has besides its rules: its ids, its grant, how it is refused, and taken back."""

from typing import Final
from uuid import UUID, uuid5

from garbo.common.events.decisions import DecisionMade
from garbo.common.events.wire import encode
from garbo.router.domain.decision import Decision
from garbo.router.domain.grant import Grant, day_of_instant, grant_id_of
from garbo.router.domain.instants import to_datetime
from garbo.router.flow.request import ResolvedRequest
from garbo.router.ports.contacts import Contact
from garbo.router.ports.publisher import Rendered

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


def refused_record(ask: ResolvedRequest, reason: str, *, policy_version: str, now_us: int) -> DecisionMade:
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


def new_grant(
    ask: ResolvedRequest,
    contact: Contact,
    decision: Decision,
    *,
    policy_version: str = "",
    epoch: int = FIRST_EPOCH,
    budget_leases: tuple[int, ...] = (),
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
        budget_leases=budget_leases,
        request=ask.stored(),
    )


def decision_id_of(message_id: UUID, sequence: int) -> UUID:
    """Name the n-th decision of a message: the message id with other last bits."""
    return UUID(int=message_id.int ^ (_DECISION_BITS + sequence))


def decision_id_text(message_id: UUID, sequence: int) -> str:
    """Write that name without making an id of it first."""
    digits = f"{message_id.int ^ (_DECISION_BITS + sequence):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _reuse_id(ask: ResolvedRequest) -> UUID:
    """Name the answer to a second submission by what it asked: its repeats get the same answer."""
    return uuid5(_REUSES, f"{ask.message_id}:{ask.body_hash.hex()}")
