"""What every rule is asked, and what it answers; one file beside this for each kind."""

from typing import ClassVar, NamedTuple

from garbo.common.events.ids import MessageId
from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.selectors import Reach
from garbo.router.domain.values import Value


class RuleResult(NamedTuple):
    """What a rule says about one instant."""

    rule: "Rule"
    ok: bool
    reason: str = "allowed"
    used: int | None = None
    limit: int | None = None
    window: str | None = None
    allowed_from_us: int | None = None
    """The least instant this rule alone permits, when it refuses and time helps."""
    by: tuple[MessageId, ...] = ()
    """The newest of the sends that stand in the window."""
    provisional: bool = False
    """One of them is open: `allowed_from_us` is an upper bound."""

    @property
    def id(self) -> str:
        """The rule's name."""
        return self.rule.reach.id

    @property
    def may_wait(self) -> bool:
        """Whether a refusal only means later: it ends, and its rule is one that requests wait for."""
        reach = self.rule.reach
        return self.allowed_from_us is not None and reach.on_hit == "defer" and not reach.hard


class Rule(Value, frozen=True):
    """One rule of a policy. Each answer is total and pure: same arguments, same answer."""

    type: ClassVar[str]
    """What a policy file and a record call it."""
    in_files: ClassVar[bool] = True
    """A policy file may have it."""
    template_passes: ClassVar[bool] = False
    """It refuses free-form alone: the fallback template may go where it refuses."""
    closes_to_the_instant: ClassVar[bool] = False
    """Where it closes no clocks differ: a lease may last until then."""
    reach: Reach

    @property
    def reads_clock(self) -> bool:
        """Whether its answer rests on the rules of time zones."""
        return False

    @property
    def wall_clock(self) -> str | None:
        """By whose wall clock it begins and ends: an IANA name, or `recipient`; None: by nobody's."""
        return None

    @property
    def needs_campaign(self) -> bool:
        """Whether it has no say about a request without a campaign."""
        return False

    def evaluate(self, context: EvaluationContext, at_us: int) -> RuleResult:
        """Answer for one instant."""
        raise NotImplementedError

    def closes_at_us(self, context: EvaluationContext, *, after_us: int, until_us: int) -> int | None:  # noqa: ARG002 - for those that do
        """Give the first instant between two at which it begins to refuse, by time alone, what it permits."""
        return None


class StandingRule(Rule, frozen=True):
    """A rule that waiting never satisfies; some of them refuse from an instant on."""


class TimedRule(Rule, frozen=True):
    """A rule that waiting alone can satisfy."""

    @property
    def reason(self) -> str:
        """The reason of a refusal."""
        raise NotImplementedError

    def allowed_from_us(self, context: EvaluationContext, from_us: int) -> int | None:
        """Give the least instant, `from_us` or later, at which it permits; None when it never does.

        Monotone in `from_us`: what the least instant over all rules rests on.
        """
        raise NotImplementedError

    def evaluate(self, context: EvaluationContext, at_us: int) -> RuleResult:
        """Answer for one instant."""
        allowed_us = self.allowed_from_us(context, at_us)
        if allowed_us == at_us:
            return RuleResult(self, ok=True)
        return RuleResult(self, ok=False, reason=self.reason, allowed_from_us=allowed_us)
