"""Events about one person in any order, any number of times: the same person in the end."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garbo.common.events.addresses import Person
from garbo.common.events.base import Event
from garbo.common.events.contacts import CaseChanged, ContactUpdated
from garbo.common.events.platform import PlatformChange
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import RecipientState, with_inbound
from garbo.router.inbound.policy_file.load import read_policy
from services.router.tests.support.build import AT, PHONE, PROMO_NUMBER, consent, inbound
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.router import Router

POLICY = b"""
policy: disorder
version: 1
classes: [{ id: promo }]
rules:
  - { id: stop, type: block, state: stopped, hard: true }
  - { id: opt-in, type: consent, purpose: marketing, level: double, hard: true }
  - { id: hold, type: hold, state: case_open, cool_down: 24h, max: 7d, on_hit: { defer: 7d } }
  - { id: week, type: cap, limit: 3, window: { rolling: 7d } }
"""
ACTIONS = ("requested", "given", "confirmed", "withdrawn", "imported")


def event_of(kind: str, minute: int) -> Event:
    at = AT - timedelta(minutes=60 - minute)
    to: dict[str, Any] = {"phone": PHONE}
    match kind:
        case "stop" | "start":
            return inbound(kind.upper(), occurred_at=at, wamid=f"{kind}{minute}")
        case "pref stop" | "pref resume":
            word = kind.removeprefix("pref ")
            value = {"user_preferences": [{"category": "marketing_messages", "value": word}]}
            return PlatformChange(
                change_id=f"{word}{minute}",
                waba="9001",
                field="user_preferences",
                number=PROMO_NUMBER,
                person=Person(phone=PHONE),
                value=value,
                occurred_at=at,
                received_at=at,
            )
        case "zone":
            zone = ("Europe/Rome", "Asia/Tokyo")[minute % 2]
            told = {"update_id": f"{minute:032x}", "client": "crm", "to": to, "timezone": zone}
            return ContactUpdated.model_validate({**told, "occurred_at": at})
        case "case":
            told = {"case_id": f"c{minute // 2}", "client": "crm", "brand": "acme", "to": to}
            action = ("opened", "closed")[minute % 2]
            return CaseChanged.model_validate(
                {**told, "action": action, "occurred_at": at, "recorded_at": at}
            )
        case _:
            return consent(kind, consent_id=f"{minute:032x}", occurred_at=at)


ONCE = frozenset({"stop", "start", "requested", "withdrawn", "confirmed"})
KINDS = st.sampled_from([*ACTIONS, "stop", "start", "pref stop", "pref resume", "zone", "case"])


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """Some events in their order, and all of them again in another order with repetitions.

    What bears on a confirmation comes once: the row keeps the newest of each, and that is what decides.
    """
    kinds = draw(st.lists(KINDS, min_size=1, max_size=8))
    once = [k for i, k in enumerate(kinds) if k not in ONCE or k not in kinds[:i]]
    minutes = draw(st.lists(st.integers(0, 59), min_size=len(once), max_size=len(once), unique=True))
    events = [event_of(kind, minute) for kind, minute in zip(once, sorted(minutes), strict=True)]
    repeated = draw(st.lists(st.sampled_from(events), max_size=4))
    return events, draw(st.permutations([*events, *repeated]))


async def told_to(policy: Policy, events: list[Event]) -> RecipientState:
    memory = InMemoryStore(AT)
    router = Router(memory, policy)
    for event in events:
        await router.hear(event)
    (state,) = memory.tables.states.values()
    return state


def essence(state: RecipientState) -> object:
    stops = {brand: (stop.stopped_at_us, stop.started_at_us) for brand, stop in state.stops.items()}
    return stops, state.consents, state.preferences, state.cases, state.claims, state.inbound_at_us


@settings(max_examples=100, deadline=None)
@given(histories())
def test_events_in_any_order_and_number_make_the_same_person(
    history: tuple[list[Event], list[Event]],
) -> None:
    policy = read_policy(POLICY)
    in_order, shuffled = history
    first = asyncio.run(told_to(policy, in_order))
    second = asyncio.run(told_to(policy, shuffled))
    assert essence(first) == essence(second)


def test_late_withdrawal_takes_back_the_persons_own_word_and_not_what_a_client_recorded_after_it() -> None:
    kinds = ("requested", "withdrawn", "confirmed", "start")
    requested, withdrawn, confirmed, start = (event_of(kind, n) for n, kind in enumerate(kinds))
    policy = read_policy(POLICY)
    in_order = asyncio.run(told_to(policy, [requested, withdrawn, confirmed, start]))
    late = asyncio.run(told_to(policy, [requested, confirmed, start, withdrawn]))
    assert essence(late) == essence(in_order)
    (consent_now,) = late.consents.values()
    assert consent_now.confirmed_at_us is not None, "the client's record stands"
    assert consent_now.answered_at_us is None, "START came after a no: it confirms nothing"


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0), (1, 0, 1)])
def test_of_two_zones_and_languages_told_of_one_instant_the_same_stands_in_any_order(
    order: tuple[int, ...],
) -> None:
    words = [("Asia/Tokyo", "ja"), ("Europe/Rome", "it")]
    told = [
        ContactUpdated.model_validate(
            {"update_id": f"{n:032x}", "client": "crm", "to": {"phone": PHONE}, "occurred_at": AT}
            | {"timezone": zone, "language": language}
        )
        for n, (zone, language) in enumerate(words)
    ]
    state = asyncio.run(told_to(read_policy(POLICY), [told[n] for n in order]))
    assert (state.zone_for("acme"), state.language_for("acme")) == ("Europe/Rome", "ja")


def test_message_told_again_of_an_earlier_instant_keeps_its_place_among_those_care_may_cite() -> None:
    state = with_inbound(RecipientState(), ref="first", number="1001", at_us=10)
    state = with_inbound(state, ref="second", number="1001", at_us=20)
    again = with_inbound(state, ref="second", number="1001", at_us=5)
    assert again.inbound == (("first", 10), ("second", 20))
    assert again == state
