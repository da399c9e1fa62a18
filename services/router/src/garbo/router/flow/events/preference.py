"""The platform's own switch for marketing: a stop blocks the number and, by default, the brand."""

from typing import Final, Literal, TypeAlias

from garbo.common.events.base import Json
from garbo.common.events.ids import ContactId
from garbo.router.domain.state import Preference, with_brands
from garbo.router.domain.values import replace
from garbo.router.flow.events.consent import ConsentEvent, record_consent_event
from garbo.router.flow.unit_of_work import UnitOfWork

FIELD: Final = "user_preferences"
Preferred: TypeAlias = Literal["stop", "resume"]
_WORDS: Final[dict[str, Preferred]] = {"stop": "stop", "resume": "resume", "signup": "resume"}
"""`signup` is the platform's own sign-up for marketing: it lifts the platform's stop, and nothing else."""


def preference_of(field: str, value: Json) -> Preferred | None:
    """Read what a person set out of a platform change; None when it is about something else.

    Source: Meta, webhooks reference `user_preferences` (read 2026-11).
    """
    if field != FIELD:
        return None
    listed = value.get(FIELD)
    said = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    if said.get("category", "marketing_messages") != "marketing_messages":
        return None
    return _WORDS.get(said["value"]) if isinstance(said.get("value"), str) else None


def resume_by_platform(uow: UnitOfWork, contact_id: ContactId, event: ConsentEvent, *, number: str) -> None:
    """Note that the person has switched marketing of a number on again: it lifts the platform's stop alone.

    By its own instant; a tie is a stop.
    """
    known = uow.states[contact_id].preferences.get(number, Preference(event.brand))
    resumed = replace(known, resumed_at_us=max(event.at_us, known.resumed_at_us or 0))
    _keep(uow, contact_id, number, resumed)
    record_consent_event(uow, contact_id, event)


def stop_by_platform(
    uow: UnitOfWork, contact_id: ContactId, event: ConsentEvent, *, number: str, trace: str | None
) -> None:
    """Note that the person has switched marketing of a number off, however it became known (also 131050)."""
    known = uow.states[contact_id].preferences.get(number, Preference(event.brand))
    whole_brand = uow.policy.platform_stop == "brand"
    stopped = replace(
        known, stopped_at_us=max(event.at_us, known.stopped_at_us or 0), whole_brand=whole_brand
    )
    record_consent_event(uow, contact_id, event)
    if stopped == known:
        return
    _keep(uow, contact_id, number, stopped)
    if stopped.stopped:
        uow.revoke_promos(
            contact_id,
            brand=event.brand,
            number=None if whole_brand else number,
            deferred_reason="platform_stopped" if whole_brand else None,
            trace=trace,
        )


def _keep(uow: UnitOfWork, contact_id: ContactId, number: str, preference: Preference) -> None:
    state = with_brands(uow.states[contact_id], (preference.brand,))
    uow.put(contact_id, replace(state, preferences={**state.preferences, number: preference}))
