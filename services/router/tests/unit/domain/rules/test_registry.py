"""What holds for every kind of rule: it answers what is asked of it, and a request is classified once."""

from collections.abc import Callable

import pytest

from garbo.router.domain.classify import classify
from garbo.router.domain.policy import Policy
from garbo.router.domain.rules.registry import RULES
from garbo.router.domain.rules.rule import Rule, StandingRule, TimedRule
from services.router.tests.support.build import consent, requested
from services.router.tests.support.calls import Calls
from services.router.tests.support.jobs import Jobs

BUDGET = "id: total, type: budget, limit: 10, per: campaign, applies_to: { class: promo }"


@pytest.mark.parametrize("kind", RULES, ids=lambda kind: kind.__name__)
def test_kind_of_rule_answers_what_is_asked_of_its_shape(kind: type[Rule]) -> None:
    if issubclass(kind, TimedRule):
        assert kind.allowed_from_us is not TimedRule.allowed_from_us
        assert kind.reason is not TimedRule.reason
    else:
        assert issubclass(kind, StandingRule)
        assert kind.evaluate is not Rule.evaluate


def test_no_two_kinds_of_rule_have_one_word_in_a_policy_file() -> None:
    words = [kind.type for kind in RULES if kind.in_files]
    assert len(words) == len(set(words))


async def test_a_request_is_classified_once_for_its_budgets_and_its_decision(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(BUDGET)
    await work.router.hear(consent())
    with Calls(classify) as calls:
        decided = await work.router.ask(*(requested(campaign="june") for _ in range(3)))
    assert [record.verdict for record in decided] == ["allow"] * 3
    assert calls.counts["classify"] == 3
