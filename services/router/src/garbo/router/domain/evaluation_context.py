"""What is before the rules: one request, classified, about one person under one policy."""

from garbo.router.domain.policy_settings import PolicySettings
from garbo.router.domain.request import BudgetLeft, Subject
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import Value, field


class EvaluationContext(Value, frozen=True):
    """Everything a rule may look at. Used for one decision."""

    policy: PolicySettings
    state: RecipientState
    subject: Subject
    now_us: int
    slots: int = 1
    """How many slots of a cap it needs: several when a message's parts count each."""
    budget_left: BudgetLeft = field(default_factory=dict)
    instants: dict[tuple[object, ...], list[int]] = field(default_factory=dict)
    """What a rule counts -> the instants, once they were asked for: rules that count the same share them."""
