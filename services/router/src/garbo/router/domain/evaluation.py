"""What the rules say about one request: what each answers, which are passed over, when all permit."""

from garbo.router.domain.earliest import Wait, earliest_allowed
from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.prepared_request import ClassifiedBody, PreparedRequest
from garbo.router.domain.request import Request
from garbo.router.domain.rules.platform_pause import pauses_of
from garbo.router.domain.rules.rule import Rule, RuleResult, StandingRule, TimedRule
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import Value, replace


class Evaluation(Value, frozen=True):
    """What the rules say about one request."""

    context: EvaluationContext
    request: Request
    deadline_us: int | None
    """When the request is no longer wanted."""
    start_us: int
    """The instant asked about: now, or `not_before` where that is later."""
    results: tuple[RuleResult, ...]
    """Of all rules that match, in file order."""
    rules: tuple[Rule, ...]
    """Those that were not passed over."""
    failing: tuple[RuleResult, ...]
    """Results of theirs that refuse."""
    overridden: tuple[str, ...] = ()
    """Rules that refuse and were passed over, as the client asked and may."""
    forbidden: RuleResult | None = None
    """The first rule that refuses, and that the client asked to be passed over and may not."""

    @property
    def is_provisional(self) -> bool:
        """Say whether a send that is still open had a say: when it frees is an upper bound."""
        return any(result.provisional for result in self.failing)

    @property
    def hard_denial(self) -> RuleResult | None:
        """Give the first result that denies: no instant changes it, or its rule wants no waiting."""
        return next((result for result in self.failing if not result.may_wait), None)

    def result_of(self, rule: TimedRule | None) -> RuleResult | None:
        """Find what a rule answered."""
        return next((result for result in self.results if result.rule is rule), None)

    def refuses_now(self, rule: TimedRule) -> bool:
        """Say whether a rule refuses at the instant asked about, and not only later."""
        return any(result.rule is rule for result in self.failing)

    def permits(self, at_us: int) -> bool:
        """Say whether no rule refuses at a later instant, if nothing is sent before."""
        return self.wait(at_us).until_us == at_us and self.closed_by(at_us) is None

    def wait(self, from_us: int | None = None) -> Wait:
        """Find the least instant that all timed rules permit."""
        timed = [rule for rule in self.rules if isinstance(rule, TimedRule)]
        return earliest_allowed(timed, self.context, self.start_us if from_us is None else from_us)

    def closed_by(self, at_us: int) -> StandingRule | None:
        """Give the first rule without time that permits now and refuses by then: a window, an old consent."""
        refusing = {result.id for result in self.failing}
        for rule in self.rules:
            if not isinstance(rule, StandingRule) or rule.reach.id in refusing:
                continue
            if not rule.evaluate(self.context, at_us).ok:
                return rule
        return None


def evaluate(prepared: PreparedRequest, classified: ClassifiedBody, state: RecipientState) -> Evaluation:
    """Let each rule that matches answer for the instant the request wants to go."""
    request, now_us, rules = prepared.request, prepared.now_us, classified.rules
    context = EvaluationContext(
        prepared.policy, state, classified.subject, now_us, prepared.slots, request.budget_left
    )
    start_us = max(now_us, request.not_before_us or now_us)
    if classified.subject.lane == "promo" and (state.cooldowns or state.questions):
        rules = (*rules, *pauses_of(state, brand=request.brand, at_us=start_us))
    results = tuple([rule.evaluate(context, start_us) for rule in rules])
    failing = tuple([result for result in results if not result.ok])
    evaluation = Evaluation(context, request, classified.kind.deadline_us, start_us, results, rules, failing)
    return _with_override(evaluation) if request.override else evaluation


def _with_override(evaluation: Evaluation) -> Evaluation:
    """Pass over the rules the client names and may pass over; whether they refuse now or later."""
    results, request = evaluation.results, evaluation.request
    named = [result for result in results if result.id in request.override]
    passed = {result.id for result in named if _overridable(result.rule, request)}
    left = [result for result in results if result.id not in passed]
    return replace(
        evaluation,
        rules=tuple(result.rule for result in left),
        failing=tuple(result for result in left if not result.ok),
        overridden=tuple(result.id for result in named if result.id in passed and not result.ok),
        forbidden=next((r for r in named if r.id not in passed and not r.ok), None),
    )


def _overridable(rule: Rule, request: Request) -> bool:
    return not rule.reach.hard and not rule.reach.overridable_by.isdisjoint(request.roles)
