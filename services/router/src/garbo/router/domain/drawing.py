"""Which budgets a request draws on, before it is decided."""

from garbo.router.domain.classify import classify
from garbo.router.domain.evaluation import matching_rules, subject_of
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import Request
from garbo.router.domain.rules.budget import BudgetRule
from garbo.router.domain.state import RecipientState


def budgets_asked(
    policy: Policy, state: RecipientState, request: Request, now_us: int
) -> tuple[BudgetRule, ...]:
    """Give the budgets of which something must be left for it to be allowed; a fallback's as well."""
    bodies = (request.body,) if request.fallback is None else (request.body, request.fallback)
    asked: dict[str, BudgetRule] = {}
    for body in bodies:
        kind = classify(policy, state, request, body=body, now_us=now_us)
        for rule in matching_rules(policy, subject_of(policy, state, request, kind=kind, body=body)):
            if isinstance(rule, BudgetRule):
                asked[rule.reach.id] = rule
    return tuple(asked.values())
