"""The platform's own switch for marketing: a stop blocks the number and, by default, the brand."""

from typing import Final, Literal

from garbo.common.events.ids import ContactId
from garbo.common.events.platform import PlatformChange
from garbo.router.domain.instants import to_us
from garbo.router.domain.state import Preference
from garbo.router.domain.values import replace
from garbo.router.flow.ledger import Ledger
from garbo.router.flow.stopping import Act, call_back, note_act

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


def prefer(
    ledger: Ledger, change: PlatformChange, *, contact_id: ContactId, brand: str, trace: str | None
) -> None:
    """Apply a stop or resume of the platform. By its own instant, a tie is a stop; again changes nothing."""
    preference, number = preference_of(change), change.number
    if preference is None or number is None:
        return
    at_us = min(to_us(change.happened_at), ledger.moment.now_us)
    act = Act(change.change_id, "withdrawn" if preference == "stop" else "given", FIELD, at_us, brand, number)
    if preference == "stop":
        stop_by_platform(ledger, contact_id, act, number=number, trace=trace)
        return
    known = ledger.states[contact_id].preferences.get(number, Preference(brand))
    resumed = replace(known, resumed_at_us=max(at_us, known.resumed_at_us or 0))
    _keep(ledger, contact_id, number, resumed)
    note_act(ledger, contact_id, act)


def stop_by_platform(
    ledger: Ledger, contact_id: ContactId, act: Act, *, number: str, trace: str | None
) -> None:
    """Note that the person has switched marketing of a number off, however it became known (also 131050)."""
    known = ledger.states[contact_id].preferences.get(number, Preference(act.brand))
    whole_brand = ledger.policy.platform_stop == "brand"
    stopped = replace(known, stopped_at_us=max(act.at_us, known.stopped_at_us or 0), whole_brand=whole_brand)
    note_act(ledger, contact_id, act)
    if stopped == known:
        return
    _keep(ledger, contact_id, number, stopped)
    if stopped.stopped:
        call_back(
            ledger,
            contact_id,
            brand=act.brand,
            number=None if whole_brand else number,
            waiting_reason="platform_stopped" if whole_brand else None,
            trace=trace,
        )


def _keep(ledger: Ledger, contact_id: ContactId, number: str, preference: Preference) -> None:
    state = ledger.states[contact_id]
    ledger.put(contact_id, replace(state, preferences={**state.preferences, number: preference}))
