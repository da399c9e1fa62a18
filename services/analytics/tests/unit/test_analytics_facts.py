from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from garbo.analytics.domain.facts import EARLIEST, KNOWN, Fact, merge
from garbo.analytics.domain.funnel import counters_of, difference
from garbo.analytics.domain.observe import observe
from garbo.common.events.base import Event
from garbo.common.events.submitted import SUBMITTED
from garbo.common.events.wire import decode, encode
from services.analytics.tests.support.fakes import FakeFacts
from services.analytics.tests.support.journeys import NAME, PHONE, TEXT, Journey

ONE = Journey(request_id=UUID(int=7), contact_id=UUID(int=8))
HISTORY: Sequence[Event] = (
    ONE.requested(),
    ONE.put_off("quiet", until=30, sequence=1),
    ONE.put_off("cap_reached", until=60, after=30, sequence=2),
    ONE.allowed(after=60, sequence=3),
    ONE.result("not_sent", after=61, reason="window_closing"),
    ONE.allowed(after=62, sequence=4),
    ONE.result("unknown", after=63),
    ONE.result("unknown", after=63.5, reason="unsettled"),
    ONE.result("accepted", after=64, possible_duplicate=True),
    ONE.status("sent", after=65),
    ONE.status("delivered", after=66),
    ONE.status("read", after=70),
    *ONE.answered(after=80),
    ONE.stopped(after=90),
    ONE.held("id_reused", after=95, sequence=0),
    ONE.status("delivered", after=66, ours=False),
)


async def kept(batches: Sequence[Sequence[Event]]) -> FakeFacts:
    store = FakeFacts()
    for batch in batches:
        await store.upsert(observe(batch))
    return store


@st.composite
def disorder(draw: st.DrawFn) -> list[list[Event]]:
    order = draw(st.permutations(HISTORY))
    repeats = draw(st.lists(st.sampled_from(HISTORY), max_size=8))
    events = [*order, *repeats]
    cuts = sorted(draw(st.sets(st.integers(1, len(events) - 1), max_size=5)))
    return [events[a:b] for a, b in zip([0, *cuts], [*cuts, len(events)], strict=True)]


@given(disorder())
async def test_order_repeats_and_batches_do_not_matter(batches: list[list[Event]]) -> None:
    straight, crooked = await kept([HISTORY]), await kept(batches)
    assert crooked.facts == straight.facts
    assert crooked.inbound == straight.inbound
    totals = {step: count for step, count in (await crooked.totals()).items() if count}
    assert totals == await straight.totals()


instants = st.none() | st.timedeltas(timedelta(0), timedelta(minutes=3)).map(lambda d: ONE.begun_at + d)


@st.composite
def partial_facts(draw: st.DrawFn) -> Fact:
    values: dict[str, Any] = {name: draw(instants) for name in draw(st.sets(st.sampled_from(EARLIEST)))}
    values["sequence"] = draw(st.integers(-1, 2))
    values["reason"] = str(values["sequence"])  # a decision's content follows its sequence
    values["platform_message_ref"] = draw(st.none() | st.sampled_from(["a", "b"]))
    values["code"] = draw(st.none() | st.integers(131000, 131002))
    return Fact(message_id=UUID(int=1), possible_duplicate=draw(st.booleans()), **values)


@given(partial_facts(), partial_facts(), partial_facts())
def test_merge_is_a_join(a: Fact, b: Fact, c: Fact) -> None:
    assert merge(a, a) == a
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@given(st.lists(partial_facts(), min_size=1, max_size=6))
def test_counters_only_depend_on_where_a_fact_ends(parts: list[Fact]) -> None:
    parts = [part for part in parts if any(getattr(part, name) for name in EARLIEST)]
    tally: dict[object, int] = {}
    fact: Fact | None = None
    for part in parts:
        before, fact = fact, merge(fact, part) if fact else part
        for counter, count in difference([(before, fact)]).items():
            tally[counter] = tally.get(counter, 0) + count
    expected = dict.fromkeys(counters_of(fact), 1) if fact else {}
    assert {counter: count for counter, count in tally.items() if count} == expected


def test_every_field_has_one_rule() -> None:
    assert not set(KNOWN) & set(EARLIEST)
    rest = {field.name for field in fields(Fact)} - set(KNOWN) - set(EARLIEST)
    assert {"message_id", "sequence", "version", "verdict", "checks", "possible_duplicate"} <= rest
    of_decision = {"current_at", "next_allowed_at", "due_at", "expires_at"}
    assert {name for name in rest if name.endswith("_at")} == of_decision


WAITED = (ONE.requested(), ONE.put_off("quiet", until=30), ONE.put_off("gap", until=60, after=30, sequence=2))
ENDS = {
    "allowed": ({"allowed": 1}, (*WAITED, ONE.allowed(after=60, sequence=3))),
    "held back": ({"denied": 1}, (*WAITED, ONE.held("would_expire", after=60, sequence=3))),
    "waiting": ({"deferred": 1}, WAITED),
    "recalled": (
        {"deferred": 1},
        (ONE.requested(), ONE.allowed(), ONE.put_off("case_open", until=9, sequence=2)),
    ),
}


@pytest.mark.parametrize("end", ENDS)
async def test_a_message_that_waited_stands_in_one_place_however_its_records_arrive(end: str) -> None:
    expected, events = ENDS[end]
    for order in permutations(events):
        store = await kept([[event] for event in (*order, order[0])])
        totals = await store.totals()
        found = {
            step: n for (step, _), n in totals.items() if n and step in ("allowed", "denied", "deferred")
        }
        assert found == expected
        assert {step: n for (step, _), n in totals.items() if n and step == "decided"} == {"decided": 1}


async def test_nothing_of_a_person_is_kept() -> None:
    store = await kept([HISTORY])
    text = repr((store.facts, store.inbound))
    for secret in (PHONE, PHONE[1:], NAME, TEXT):
        assert secret not in text


async def test_second_submission_replaces_nothing_but_is_told() -> None:
    store = await kept([[ONE.requested(), ONE.allowed(), ONE.held("id_reused", after=9, sequence=0)]])
    fact = store.facts[ONE.message_id]
    assert fact.verdict == "allow"
    assert fact.reused_at == ONE.at(9)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([ONE.status("sent")], {"accepted"}),
        ([ONE.status("read")], {"accepted", "delivered", "read"}),
        ([ONE.result("unknown")], {"unknown"}),
        ([ONE.result("unknown"), ONE.status("delivered")], {"accepted", "delivered"}),
        ([ONE.result("unknown"), ONE.result("unknown", reason="unsettled")], {"accepted"}),
        (
            [ONE.result("unknown", reason="unsettled"), ONE.result("failed", code=131026)],
            {"failed"},
        ),
        ([ONE.result("unknown"), ONE.result("failed", code=131026)], {"failed"}),
        ([ONE.status("failed", code=131049)], {"accepted", "failed"}),
        ([ONE.status("failed", code=131049), ONE.status("delivered")], {"accepted", "delivered"}),
    ],
    ids=[
        "status-proves",
        "read-proves",
        "unknown",
        "settled",
        "unsettled",
        "unsettled-and-failed-after-all",
        "refused",
        "failed-later",
        "phone-is-the-truth",
    ],
)
async def test_steps_follow_from_what_was_observed(events: list[Event], expected: set[str]) -> None:
    totals = await (await kept([events])).totals()
    assert {step for (step, _), count in totals.items() if count} == expected


@pytest.mark.parametrize(
    "wrong", [{"to": {"phone": "393331234567"}}, {"content": {"type": "hologram"}}, {"priority": 101}]
)
def test_wrong_request_that_says_who_asks_is_a_fact_and_no_dead_letter(wrong: dict[str, object]) -> None:
    asked = Journey()
    said = orjson.loads(encode(asked.requested())) | wrong
    (fact,) = observe([decode(SUBMITTED, orjson.dumps(said))]).facts.values()
    assert (fact.message_id, fact.client, fact.campaign) == (asked.message_id, "shop", "summer")
    assert (fact.content_type, fact.template, fact.contact_id) == (None, None, None), "nobody said so"
