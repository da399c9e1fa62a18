"""Two contacts that turned out to be one person: everything known of either is known of that one."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from garbo.router.domain.state import (
    REMEMBERED_INBOUND,
    Case,
    Consent,
    Cooldown,
    Preference,
    Question,
    RecipientState,
    Stop,
    join_claims,
)
from garbo.router.domain.values import replace

V = TypeVar("V")


def merge_states(first: RecipientState, second: RecipientState) -> RecipientState:
    """Give the state of one person who was two. The stricter word stands where both have one."""
    sends = {send.message_id: send for send in (*second.sends, *first.sends)}
    heard = {**dict(second.inbound), **dict(first.inbound)}
    inbound = sorted(heard.items(), key=lambda item: (item[1], item[0]))[-REMEMBERED_INBOUND:]
    return replace(
        first,
        claims=_joined(first.claims, second.claims, join_claims),
        cases=_joined(first.cases, second.cases, _later_case),
        preferences=_joined(first.preferences, second.preferences, _preference),
        suppressed=_joined(first.suppressed, second.suppressed, max),
        cooldowns=_joined(first.cooldowns, second.cooldowns, _longer),
        questions=_joined(first.questions, second.questions, _later_question),
        inbound_at_us=_joined(first.inbound_at_us, second.inbound_at_us, max),
        inbound=tuple(inbound),
        stops=_joined(first.stops, second.stops, _stop),
        consents=_joined(first.consents, second.consents, _consent),
        sends=tuple(sorted(sends.values(), key=lambda send: (send.at_us, send.message_id.int))),
    )


def _joined(first: Mapping[str, V], second: Mapping[str, V], both: Callable[[V, V], V]) -> dict[str, V]:
    shared = {key: both(first[key], second[key]) for key in first.keys() & second.keys()}
    return {**second, **first, **shared}


def _later(first: int | None, second: int | None) -> int | None:
    return max((at_us for at_us in (first, second) if at_us is not None), default=None)


def _consent(first: Consent, second: Consent) -> Consent:
    return Consent(
        given_at_us=_later(first.given_at_us, second.given_at_us),
        confirmed_at_us=_later(first.confirmed_at_us, second.confirmed_at_us),
        answered_at_us=_later(first.answered_at_us, second.answered_at_us),
        withdrawn_at_us=_later(first.withdrawn_at_us, second.withdrawn_at_us),
        requested_at_us=_later(first.requested_at_us, second.requested_at_us),
        imported_at_us=_later(first.imported_at_us, second.imported_at_us),
    )


def _stop(first: Stop, second: Stop) -> Stop:
    newer = first if (first.stopped_at_us or 0) >= (second.stopped_at_us or 0) else second
    return replace(newer, started_at_us=_later(first.started_at_us, second.started_at_us))


def _preference(first: Preference, second: Preference) -> Preference:
    return replace(
        first,
        stopped_at_us=_later(first.stopped_at_us, second.stopped_at_us),
        resumed_at_us=_later(first.resumed_at_us, second.resumed_at_us),
    )


def _later_case(first: Case, second: Case) -> Case:
    return max(first, second, key=lambda case: (case.opened_at_us, case.closed_at_us is None))


def _longer(first: Cooldown, second: Cooldown) -> Cooldown:
    return max(first, second, key=lambda cooldown: (cooldown.until_us, cooldown.strikes))


def _later_question(first: Question, second: Question) -> Question:
    return max(first, second, key=lambda question: question.until_us)
