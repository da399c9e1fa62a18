"""STOP, START, unclear words, preferences and consent: what each does to promos, granted and waiting."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from garbo.common.business import Business
from garbo.common.events.addresses import Person
from garbo.common.events.content import InteractiveContent, TextContent
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import SEND_REQUESTED
from garbo.router.domain.keywords import KEEP_BUTTON, STOP_BUTTON
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
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
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import DOUBLE_OPT_IN, ONE_A_WEEK, STOPPED
from services.router.tests.support.router import Router


def asked_back(router: Router) -> list[SendRequested]:
    return router.publisher.of(SEND_REQUESTED)


def the_state(memory: InMemoryStore) -> RecipientState:
    (state,) = memory.tables.states.values()
    return state


async def test_scenario_47_stop_denies_at_once_what_waits_and_frees_nothing_for_others(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(STOPPED, ONE_A_WEEK)
    granted, waits = requested(), requested()
    await router.ask(granted)
    await router.ask(waits)
    assert [d.verdict for d in router.decided] == ["allow", "defer"]
    await router.hear(inbound("STOP"))
    assert not memory.tables.deferred
    last = {d.message_id: (d.verdict, d.reason, d.sequence) for d in router.decided}
    assert last[granted.message_id] == ("deny", "revoked", 2)
    assert last[waits.message_id] == ("deny", "stopped", 2)


async def test_scenario_47_stop_after_dispatch_changes_nothing_of_it_and_the_next_is_refused(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    asked = requested()
    await router.ask(asked)
    await router.hear(result(router.granted[0], "accepted"), inbound("STOP"))
    assert memory.tables.grants[asked.message_id].state == "accepted"
    (refused,) = await router.ask(requested())
    assert refused.reason == "stopped"


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


async def test_a_new_stop_after_a_start_is_confirmed_again(router: Router, memory: InMemoryStore) -> None:
    memory.advance(timedelta(minutes=5))
    for minute, word in enumerate(("STOP", "START", "STOP")):
        await router.hear(inbound(word, occurred_at=AT + timedelta(minutes=minute)))
    assert len({reply.request_id for reply in asked_back(router)}) == 2


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


async def test_scenario_50_stop_then_start_in_the_same_second_is_stopped(router: Router) -> None:
    await router.hear(consent(), inbound("STOP"), inbound("START"))
    (decision,) = await router.ask(requested())
    assert decision.reason == "stopped"


@pytest.mark.parametrize("asked_first", [True, False], ids=["asked", "never asked"])
async def test_scenario_50_start_fakes_no_double_opt_in(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy], asked_first: bool
) -> None:
    router.policy = make_policy(STOPPED, DOUBLE_OPT_IN)
    await router.hear(consent("given"))
    if asked_first:
        await router.hear(consent("requested", occurred_at=AT - timedelta(hours=2)))
    start = inbound("START", occurred_at=AT - timedelta(hours=1))
    await router.hear(start)
    await router.hear(start)
    (decision,) = await router.ask(requested())
    assert decision.reason == ("allowed" if asked_first else "opt_in_unconfirmed")
    actions = sorted((e.action, e.actor) for e in memory.tables.evidence.values())
    confirmed = [("confirmed", "garbo")] if asked_first else []
    requested_ = [("requested", "crm")] if asked_first else []
    assert actions == [*confirmed, ("given", "crm"), ("given", "garbo"), *requested_]


async def test_scenario_50_a_stop_after_the_request_voids_it(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(STOPPED, DOUBLE_OPT_IN)
    await router.hear(consent("requested", occurred_at=AT - timedelta(hours=3)))
    await router.hear(inbound("STOP", occurred_at=AT - timedelta(hours=2)))
    await router.hear(inbound("START", occurred_at=AT - timedelta(hours=1)))
    (decision,) = await router.ask(requested())
    assert decision.reason == "not_opted_in"


async def test_double_opt_in_is_confirmed_in_any_order_of_arrival(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(DOUBLE_OPT_IN)
    await router.hear(inbound("START", occurred_at=AT - timedelta(hours=1)))
    await router.hear(consent("requested", occurred_at=AT - timedelta(hours=2)))
    (decision,) = await router.ask(requested())
    assert decision.verdict == "allow"


async def test_confirm_says_yes_only_to_what_was_asked(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(DOUBLE_OPT_IN)
    await router.hear(inbound("Confermo", occurred_at=AT - timedelta(hours=3)))
    await router.hear(consent("requested", occurred_at=AT - timedelta(hours=2)))
    (refused,) = await router.ask(requested())
    await router.hear(inbound("Confermo", occurred_at=AT - timedelta(hours=1)))
    (allowed,) = await router.ask(requested())
    assert (refused.verdict, allowed.verdict) == ("deny", "allow")


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


async def test_the_tenants_own_word_is_a_stop(router: Router, make_policy: Callable[..., Policy]) -> None:
    router.policy = replace(make_policy(STOPPED), stop_words=("niente pubblicità",))
    await router.hear(inbound("Niente pubblicita!"))
    (refused,) = await router.ask(requested())
    assert refused.reason == "stopped"
