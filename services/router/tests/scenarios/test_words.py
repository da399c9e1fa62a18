"""Scenarios 48 and 49: which words are a STOP, and what the router answers and asks."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from garbo.common.business import Business
from garbo.common.events.addresses import Person
from garbo.common.events.content import InteractiveContent, TextContent
from garbo.router.domain.decide import decide
from garbo.router.domain.instants import HOUR_US
from garbo.router.domain.keywords import KEEP_BUTTON, STOP_BUTTON, Keyword, keyword_of
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import Question
from services.router.tests.support.build import (
    AT,
    CARE_NUMBER,
    business,
    consent,
    inbound,
    requested,
    result,
    text,
)
from services.router.tests.support.build_domain import JUNE_5, a_request, a_state
from services.router.tests.support.in_memory import asked_back, the_state
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import OPT_IN, STOPPED, MakePolicy
from services.router.tests.support.router import Router


def meaning(text: str | None) -> str | None:
    said = keyword_of(text=text)
    return said.meaning if said else None


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "Stop!!",
        "  ARRÊT ",
        "🛑 stop",
        "opt-out",
        "Non scrivetemi più.",
        "İPTAL",
        "إيقاف",
        "Стоп",
        "ΔΙΑΓΡΑΦΉ",
        "desinscrire",
        "dezabonare",
        "no más mensajes",
        "STOPP",
    ],
)
def test_scenario_48_stop_is_heard_as_a_whole_message(text: str) -> None:
    assert meaning(text) == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "non stop",
        "la baja calidad",
        "basta così grazie",
        "stop the delivery please",
        "",
        "🛑",
        None,
        "x" * 5000,
    ],
)
def test_scenario_48_other_messages_are_not_stop(text: str | None) -> None:
    assert meaning(text) is None


@pytest.mark.parametrize(
    "text", ["basta", "ANNULLA", "no", "Cancel", "fin", "salir", "pare", "Ende!", "annuler", "QUIT", "fine"]
)
def test_a_word_that_may_mean_stop_is_told_from_stop(text: str) -> None:
    assert meaning(text) == "unsure"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Stop promotions", "stop"), ("START", "start"), ("Confermo", "confirm"), ("ok", None)],
)
def test_a_word_means_what_it_says(text: str, expected: str | None) -> None:
    assert meaning(text) == expected


def test_a_policy_adds_words_and_takes_none_away() -> None:
    own = ("Via i volantini!",)
    assert keyword_of(text="via i VOLANTINI", more=own) == Keyword("stop")
    assert keyword_of(text="stop", more=own) == Keyword("stop")
    assert keyword_of(text="via i volantini") is None


def test_a_word_tells_its_language_where_it_is_of_one() -> None:
    assert keyword_of(text="arrêt") == Keyword("stop", "fr")
    assert keyword_of(text="disiscrivimi") == Keyword("stop", "it")
    assert keyword_of(text="stop") == Keyword("stop")


async def test_stop_is_confirmed_once_in_the_persons_language_and_never_again(router: Router) -> None:
    stop = inbound("ARRÊT")
    await router.hear(stop)
    await router.hear(stop, inbound("STOP", occurred_at=AT + timedelta(seconds=1)))
    (reply,) = asked_back(router)
    assert isinstance(reply.content, TextContent)
    assert reply.content.text.body.startswith("Vous ne recevrez plus nos offres")
    assert (reply.client, reply.purpose, reply.number, reply.reply_to) == (
        "garbo",
        "care",
        CARE_NUMBER,
        stop.wamid,
    )
    (decision,) = await router.ask(reply)
    assert (decision.verdict, decision.message_class) == ("allow", "care")


async def test_a_business_says_it_in_its_own_words_or_not_at_all(
    memory: InMemoryStore, router: Router
) -> None:
    def with_replies(**replies: Any) -> Business:  # noqa: ANN401 - any field
        brands = [dict(brand.model_dump(exclude={"replies"})) for brand in business().brands]
        brands[0]["replies"] = replies
        return business(brands=brands)

    router.business = with_replies(stopped={"en": "Fine."})
    await router.hear(inbound("STOP"))
    (reply,) = asked_back(router)
    assert isinstance(reply.content, TextContent)
    assert reply.content.text.body == "Fine."
    router.business = with_replies(enabled=False)
    await router.hear(inbound("STOP", sender=Person(phone="+393330000001")))
    assert len(asked_back(router)) == 1


async def test_scenario_49_annulla_with_an_open_case_holds_promo_and_asks_once(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    promo = requested()
    await router.ask(promo)
    word = inbound("ANNULLA", kind="text")
    await router.hear(word)
    await router.hear(word, inbound("annulla!", occurred_at=AT))
    (question,) = asked_back(router)
    assert isinstance(question.content, InteractiveContent)
    buttons = question.content.interactive["action"]["buttons"]
    assert [b["reply"]["id"] for b in buttons] == [STOP_BUTTON, KEEP_BUTTON]
    held = router.decided[-1]
    assert (held.message_id, held.verdict, held.reason) == (promo.message_id, "defer", "clarifying")
    assert memory.tables.grants[promo.message_id].state == "revoked"
    assert the_state(memory).sends == ()
    assert promo.message_id in memory.tables.deferred


async def test_scenario_49_the_answer_decides(router: Router, memory: InMemoryStore) -> None:
    await router.hear(consent(), inbound("ANNULLA"))
    (held,) = await router.ask(requested())
    assert held.verdict == "defer"
    memory.advance(timedelta(seconds=5))
    await router.hear(inbound("Keep", payload=KEEP_BUTTON, occurred_at=AT + timedelta(seconds=3)))
    (waiting,) = memory.tables.deferred.values()
    assert waiting.due_at_us == memory.now.timestamp() * 1_000_000, "it is looked at again at once"
    (allowed,) = await router.ask(requested())
    assert allowed.verdict == "allow"
    await router.hear(inbound("stop", payload=STOP_BUTTON, occurred_at=AT + timedelta(seconds=4)))
    (refused,) = await router.ask(requested())
    assert refused.reason == "stopped"
    assert not memory.tables.deferred


async def test_scenario_49_annulla_after_a_promo_without_a_case_is_an_opt_out(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    await router.ask(requested())
    await router.hear(result(router.granted[0], "accepted"))
    memory.advance(timedelta(hours=71))
    word = inbound("ANNULLA", occurred_at=AT + timedelta(hours=71))
    await router.hear(word)
    await router.hear(word)
    (refused,) = await router.ask(requested())
    assert refused.reason == "stopped"
    assert [reply.content.type for reply in asked_back(router)] == ["text"]


async def test_scenario_49_annulla_72_hours_after_a_promo_is_a_question(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    await router.ask(requested())
    await router.hear(result(router.granted[0], "accepted"))
    memory.advance(timedelta(hours=72))
    await router.hear(inbound("ANNULLA", occurred_at=AT + timedelta(hours=72)))
    assert [reply.content.type for reply in asked_back(router)] == ["interactive"]


async def test_scenario_49_annulla_is_a_question_when_care_was_said_last(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent(), inbound())
    await router.ask(requested())
    await router.hear(result(router.granted[0], "accepted"))
    memory.advance(timedelta(minutes=1))
    await router.ask(requested(purpose="care", content=text()))
    later = AT + timedelta(minutes=1)
    await router.hear(result(router.granted[1], "accepted", recorded_at=later))
    await router.hear(inbound("ANNULLA", occurred_at=later))
    assert [reply.content.type for reply in asked_back(router)] == ["interactive"]


async def test_the_tenants_own_word_is_a_stop(router: Router, make_policy: Callable[..., Policy]) -> None:
    router.policy = replace(make_policy(STOPPED), stop_words=("niente pubblicità",))
    await router.hear(inbound("Niente pubblicita!"))
    (refused,) = await router.ask(requested())
    assert refused.reason == "stopped"


def test_promo_waits_for_the_answer_to_a_word_that_may_have_meant_stop(make_policy: MakePolicy) -> None:
    state = a_state(questions={"acme": Question(JUNE_5 - 1, JUNE_5 + HOUR_US, "wamid.1")})
    decision = decide(make_policy(OPT_IN), state, a_request(), JUNE_5)
    assert (decision.verdict, decision.reason) == ("defer", "clarifying")
    assert decision.next_allowed_at_us == JUNE_5 + HOUR_US
    assert decide(make_policy(OPT_IN), state, a_request(), JUNE_5 + HOUR_US).verdict == "allow"
    assert decide(make_policy(OPT_IN), state, a_request(brand="bolt"), JUNE_5).reason == "not_opted_in"


async def test_a_message_changed_to_stop_is_one_as_well(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(STOPPED)
    await router.hear(inbound("STOP", kind="edit"))
    (refused,) = await router.ask(requested())
    assert refused.reason == "stopped"
    assert not the_state(memory).inbound_at_us


async def test_a_members_stop_in_a_group_is_the_groups_and_not_their_own(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(STOPPED)
    await router.hear(inbound("STOP", group_id="g-1"), inbound("no", group_id="g-1"))
    group, member = requested(to={"group_id": "g-1"}), requested()
    decided = {d.message_id: d.reason for d in await router.ask(group, member)}
    assert decided == {group.message_id: "stopped", member.message_id: "allowed"}
    assert [reply.content.type for reply in asked_back(router)] == ["text"], "no question goes to a group"
