"""The platform's own switch for marketing: a stop blocks the number and, by default, the brand."""

from typing import Final, Literal

from garbo.common.events.ids import ContactId
from garbo.common.events.platform import PlatformChange
from garbo.router.domain.instants import to_us
from garbo.router.domain.state import Preference
from garbo.router.domain.values import replace
from garbo.router.flow.events.revocation import ConsentEvent, record_consent_event, revoke_promos
from garbo.router.flow.unit_of_work import UnitOfWork

FIELD: Final = "user_preferences"
_WORDS: Final[dict[str, Literal["stop", "resume"]]] = {"stop": "stop", "resume": "resume", "signup": "resume"}
"""`signup` is the platform's own sign-up for marketing: it lifts the platform's stop, and nothing else."""


def preference_of(change: PlatformChange) -> Literal["stop", "resume"] | None:
    """Read what a person set in the platform; None when it is about something else.

    Source: Meta, webhooks reference `user_preferences` (read 2026-11).
    """
    if change.field != FIELD:
        return None
    listed = change.value.get(FIELD)
    said = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    if said.get("category", "marketing_messages") != "marketing_messages":
        return None
    return _WORDS.get(said["value"]) if isinstance(said.get("value"), str) else None


def apply_preference(
    uow: UnitOfWork, change: PlatformChange, *, contact_id: ContactId, brand: str, trace: str | None
) -> None:
    """Apply a stop or resume of the platform. By its own instant, a tie is a stop; again changes nothing."""
    preference, number = preference_of(change), change.number
    if preference is None or number is None:
        return
    at_us = min(to_us(change.happened_at), uow.snapshot.now_us)
    act = ConsentEvent(
        change.change_id, "withdrawn" if preference == "stop" else "given", FIELD, at_us, brand, number
    )
    if preference == "stop":
        stop_by_platform(uow, contact_id, act, number=number, trace=trace)
        return
    known = uow.states[contact_id].preferences.get(number, Preference(brand))
    resumed = replace(known, resumed_at_us=max(at_us, known.resumed_at_us or 0))
    _keep(uow, contact_id, number, resumed)
    record_consent_event(uow, contact_id, act)


def stop_by_platform(
    uow: UnitOfWork, contact_id: ContactId, act: ConsentEvent, *, number: str, trace: str | None
) -> None:
    """Note that the person has switched marketing of a number off, however it became known (also 131050)."""
    known = uow.states[contact_id].preferences.get(number, Preference(act.brand))
    whole_brand = uow.policy.platform_stop == "brand"
    stopped = replace(known, stopped_at_us=max(act.at_us, known.stopped_at_us or 0), whole_brand=whole_brand)
    record_consent_event(uow, contact_id, act)
    if stopped == known:
        return
    _keep(uow, contact_id, number, stopped)
    if stopped.stopped:
        revoke_promos(
            uow,
            contact_id,
            brand=act.brand,
            number=None if whole_brand else number,
            waiting_reason="platform_stopped" if whole_brand else None,
            trace=trace,
        )


def _keep(uow: UnitOfWork, contact_id: ContactId, number: str, preference: Preference) -> None:
    state = uow.states[contact_id]
    uow.put(contact_id, replace(state, preferences={**state.preferences, number: preference}))
