"""Scenario 41: who may pass over a rule does, and counts all the same."""

import pytest

from garbo.router.domain.decide import decide, decide_and_count
from services.router.tests.support.build import business
from services.router.tests.support.build_domain import JUNE_5, a_request, a_state, message
from services.router.tests.support.in_memory import ask
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import ERASED, SOME_A_WEEK, MakePolicy
from services.router.tests.support.router import Router


def test_scenario_41_an_allowed_override_passes_over_and_still_counts(make_policy: MakePolicy) -> None:
    policy = make_policy(SOME_A_WEEK % 1 + ", overridable_by: [crm-lead]", ERASED)
    _, state = decide_and_count(policy, a_state(), a_request(1), JUNE_5)
    lead = a_request(2, override=("week",), roles=frozenset({"crm-lead"}))
    decision, after = decide_and_count(policy, state, lead, JUNE_5)
    assert (decision.verdict, decision.overridden) == ("allow", ("week",))
    assert [answer.ok for answer in decision.results] == [False, True]
    assert [send.message_id for send in after.sends] == [message(1), message(2)]
    idle = decide(policy, a_state(), lead, JUNE_5)
    assert (idle.verdict, idle.overridden) == ("allow", ())


@pytest.mark.parametrize(
    ("override", "roles"),
    [("week", {"crm"}), ("erased", {"crm-lead"})],
    ids=["without the role", "on a hard rule"],
)
def test_scenario_41_other_overrides_are_refused(
    make_policy: MakePolicy, override: str, roles: set[str]
) -> None:
    policy = make_policy(SOME_A_WEEK % 0 + ", overridable_by: [crm-lead]", ERASED)
    request = a_request(override=(override,), roles=frozenset(roles))
    decision = decide(policy, a_state(erased=True), request, JUNE_5)
    assert (decision.verdict, decision.reason) == ("deny", "override_not_allowed")
    assert decision.deciding is not None
    assert decision.deciding.id == override


async def test_scenario_41_client_with_the_role_passes_a_rule_and_still_counts(
    capped: Router, memory: InMemoryStore
) -> None:
    file = business()
    clients = tuple(c.model_copy(update={"roles": ("lead",)}) if c.id == "crm" else c for c in file.clients)
    await ask(capped)
    wish = {"rules": ["week"], "reason": "recall"}
    assert (await ask(capped, override=wish)).reason == "override_not_allowed"
    capped.business = file.model_copy(update={"clients": clients})
    allowed = await ask(capped, override=wish)
    assert (allowed.verdict, allowed.overridden) == ("allow", ("week",))
    (state,) = memory.tables.states.values()
    assert len(state.sends) == 2
