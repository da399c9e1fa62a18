from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest

from garbo.analytics.domain.facts import Fact
from garbo.analytics.domain.observe import observe
from garbo.analytics.inbound.http.story import state, state_in_words, story
from garbo.analytics.inbound.http.words import decision_in_words, failure_in_words, in_text, label
from garbo.common.events.base import Event
from garbo.common.events.decisions import Check
from services.analytics.tests.support.journeys import Journey

ONE = Journey()
NEXT = datetime(2026, 6, 8, 14, 5, tzinfo=UTC)
CAP = "Held back: this person already had 1 of 1 promos in the last 24 h; the next may go at 8 Jun 14:05 UTC."
GAP = (
    "Held back: less than 2 h has passed since the last promo to this person; "
    "the next may go at the latest at 8 Jun 14:05 UTC."
)


def fact_of(*events: Event) -> Fact:
    return observe(events).facts[ONE.message_id]


def held(reason: str, **more: object) -> Fact:
    return Fact(message_id=UUID(int=1), **{"verdict": "deny", "reason": reason, "purpose": "promo"} | more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (
            held("cap_reached", used_count=1, limit_count=1, window_span="rolling 24h", next_allowed_at=NEXT),
            CAP,
        ),
        (
            held(
                "cap_reached",
                rule="week",
                checks=(Check(rule="week", type="cap", ok=False, used=3, limit=3, window="rolling 7d"),),
            ),
            "Held back: this person already had 3 of 3 promos in the last 7 days.",
        ),
        (held("cap_reached"), "Held back: this person has had as many promos as the cap allows."),
        (
            held("gap", window_span="min 2h", next_allowed_at=NEXT, provisional=True),
            GAP,
        ),
        (held("not_opted_in"), "Held back: this person has not agreed to receive promos."),
        (held("stopped"), "Held back: this person asked for no more promos."),
        (held("unknown_client"), "Refused: the configuration does not know this client."),
        (held("some_new_rule"), "Held back: some new rule."),
        (Fact(message_id=UUID(int=1)), "Waiting for a decision."),
        (
            held("quiet", verdict="defer", next_allowed_at=NEXT, due_at=NEXT + timedelta(minutes=3)),
            "Put off: it is quiet time where this person lives; it is tried again at 8 Jun 14:08 UTC.",
        ),
        (
            held("gap", verdict="defer", window_span="min 2h", due_at=NEXT, provisional=True),
            (
                "Put off: less than 2 h has passed since the last promo to this person; "
                "it is tried again at the latest at 8 Jun 14:05 UTC."
            ),
        ),
        (
            held("would_expire", next_allowed_at=NEXT, expires_at=NEXT - timedelta(hours=2)),
            (
                "Held back: it would have to wait longer than it may, until 8 Jun 14:05 UTC, "
                "and it expires at 8 Jun 12:05 UTC."
            ),
        ),
        (
            held("expired", expires_at=NEXT),
            "Held back: it came after its own expiry (8 Jun 14:05 UTC).",
        ),
        (
            held("allowed", verdict="allow", overridden=("promo-week",)),
            (
                "Allowed: every rule agreed that this promo may go. "
                "The client had promo-week passed over, as it may."
            ),
        ),
        (
            held("allowed", verdict="allow", reclassified=True),
            (
                "Allowed: every rule agreed that this promo may go. "
                "Its template makes it a promo, whatever it was asked as."
            ),
        ),
    ],
    ids=[
        *("cap", "cap-from-check", "cap-bare", "gap", "consent", "stop", "refused", "unknown", "undecided"),
        *("waiting", "waiting-provisional", "would-expire", "expired", "overridden", "reclassified"),
    ],
)
def test_decision_is_told_in_words(fact: Fact, words: str) -> None:
    assert in_text(decision_in_words(fact)) == words


def test_instants_stay_apart_for_the_readers_own_zone() -> None:
    assert NEXT in decision_in_words(held("stopped", next_allowed_at=NEXT))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("131026", "Not deliverable: not on WhatsApp, or an app too old"),
        ("999", "WhatsApp refused it (code 999)"),
        ("lease_expired", "The permission ended before it was sent"),
        ("new_word", "New word"),
        ("", "It could not be sent"),
    ],
)
def test_failure_is_told_in_words(code: str, words: str) -> None:
    assert failure_in_words(code) == words


def test_unknown_reason_is_spelt_out() -> None:
    assert label("portfolio_limit") == "Portfolio limit"


def test_story_of_a_message_that_was_read_and_answered() -> None:
    events = [ONE.requested(), ONE.allowed(), ONE.result("accepted"), ONE.status("sent")]
    events2 = [ONE.status("delivered", after=3), ONE.status("read", after=9), *ONE.answered()]
    fact = fact_of(*events, *events2)
    told = [step.what for step in story(fact)]
    assert told == ["requested", "allowed", "attempted", "accepted", "sent", "delivered", "read", "replied"]
    assert state(fact) == "replied"


def test_story_of_a_message_that_was_held_back_gives_the_reason() -> None:
    fact = fact_of(ONE.requested(), ONE.held_by_cap())
    steps = story(fact)
    assert [step.what for step in steps] == ["requested", "held"]
    assert steps[-1].title == "Cap reached"
    assert in_text(steps[-1].words).startswith("Held back: this person already had 1 of 1 promos")
    assert steps[-1].words == state_in_words(fact)


def test_story_of_an_unclear_send_says_how_it_was_settled() -> None:
    fact = fact_of(ONE.requested(), ONE.allowed(), ONE.result("unknown"), ONE.status("sent"))
    unclear = next(step for step in story(fact) if step.what == "unknown")
    assert in_text(unclear.words).endswith("A status told later.")


def test_story_of_a_grant_that_ended_unused() -> None:
    fact = fact_of(
        ONE.requested(),
        ONE.allowed(),
        ONE.result("not_sent", after=61, reason="lease_expired"),
        ONE.held("lease_expired", after=62, sequence=2),
    )
    assert [step.what for step in story(fact)] == ["requested", "allowed", "not_sent", "held"]
    assert state(fact) == "held"


def test_story_of_a_message_that_waits_says_until_when_and_why() -> None:
    fact = fact_of(ONE.requested(), ONE.put_off("quiet", until=3600))
    assert [step.what for step in story(fact)] == ["requested", "put_off"]
    assert state(fact) == "waiting"
    assert ONE.at(3601) in state_in_words(fact)


def test_story_of_a_message_that_waited_twice_and_then_went() -> None:
    waits = [ONE.put_off("quiet", until=60), ONE.put_off("cap_reached", until=90, after=61, sequence=2)]
    went = [ONE.allowed(after=91, sequence=3), ONE.result("accepted", after=92)]
    waiting, gone = fact_of(ONE.requested(), *waits), fact_of(ONE.requested(), *waits, *went)
    assert [step.title for step in story(waiting)] == ["Asked", "Put off", "Put off again"]
    assert [step.what for step in story(gone)] == ["requested", "put_off", "allowed", "attempted", "accepted"]
    assert in_text(story(gone)[1].words) == "Put off until every rule agrees."


def test_story_of_a_grant_taken_back_for_a_case_and_given_again() -> None:
    events = [
        ONE.requested(),
        ONE.allowed(after=1),
        ONE.put_off("case_open", until=60, after=3, sequence=2),
        ONE.result("not_sent", after=4, reason="revoked"),
        ONE.allowed(after=61, sequence=3),
        ONE.result("accepted", after=62),
    ]
    titles = [step.title for step in story(fact_of(*events))]
    assert titles == ["Asked", "Allowed", "Put off", "Not sent", "Allowed again", "Sending", "Accepted"]
    assert {tuple(story(fact_of(*order))) for order in permutations(events)} == {
        tuple(story(fact_of(*events)))
    }


@pytest.mark.parametrize("code", [131049, None])
def test_story_of_a_failed_message_says_why(code: int | None) -> None:
    fact = fact_of(ONE.requested(), ONE.allowed(), ONE.result("failed", code=code, reason="unreachable"))
    last = story(fact)[-1]
    assert last.tone == "bad"
    assert in_text(last.words) in {
        "Meta held it back to keep this person from too many promos.",
        "WhatsApp could not be reached.",
    }


def test_what_no_status_settled_is_shown_as_what_it_is_until_a_status_comes() -> None:
    unclear = (ONE.requested(), ONE.allowed(), ONE.result("unknown"))
    fact = fact_of(*unclear, ONE.result("unknown", reason="unsettled"))
    assert state(fact) == "unknown"
    assert str(state_in_words(fact)[0]).endswith("No status came: it counts as sent.")
    assert [step.what for step in story(fact)][-2:] == ["unknown", "unsettled"]
    late = fact_of(*unclear, ONE.result("unknown", reason="unsettled"), ONE.status("delivered"))
    assert state(late) == "delivered"
    assert "unsettled" not in [step.what for step in story(late)]
