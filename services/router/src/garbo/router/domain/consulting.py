"""Asking the rules about one request: which touch it, what each answers, which are passed over."""

from typing import Final

from garbo.router.domain.classify import Classified
from garbo.router.domain.fixpoint import Wait, least_permitted
from garbo.router.domain.matter import Matter
from garbo.router.domain.pauses import PauseRule, pauses_of
from garbo.router.domain.policy import BudgetRule, HoldRule, Policy, QuietRule, RateRule, Rule
from garbo.router.domain.request import Body, Request, Subject
from garbo.router.domain.rules import Answer, AnyRule, StandingRule, ask, fault_of
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import Value
from garbo.router.domain.zones import zones_of

TIME_RULES: Final = (RateRule, QuietRule, HoldRule, BudgetRule, PauseRule)


class Consultation(Value, frozen=True):
    """What the rules say about one request."""

    matter: Matter
    start_us: int
    """The instant asked about: now, or `not_before` where that is later."""
    answers: tuple[Answer, ...]
    """Of all rules that touch, in file order."""
    rules: tuple[AnyRule, ...]
    """Those that were not passed over."""
    failing: tuple[Answer, ...]
    """Answers of theirs that refuse."""
    overridden: tuple[str, ...] = ()
    """Rules that refuse and were passed over, as the client asked and may."""
    forbidden: Answer | None = None
    """The first rule that refuses, and that the client asked to be passed over and may not."""

    @property
    def firm(self) -> Answer | None:
        """Give the first answer that denies: no instant changes it, or its rule wants no waiting."""
        return next((answer for answer in self.failing if not may_wait(answer)), None)

    def wait(self, from_us: int | None = None) -> Wait:
        """Find the least instant that all time rules permit."""
        timed = [rule for rule in self.rules if isinstance(rule, TIME_RULES)]
        return least_permitted(timed, self.matter, self.start_us if from_us is None else from_us)

    def shut(self, at_us: int) -> StandingRule | None:
        """Give the first rule without time that permits now and refuses by then: a window, an old consent."""
        refusing = {answer.id for answer in self.failing}
        for rule in self.rules:
            if isinstance(rule, TIME_RULES) or rule.reach.id in refusing:
                continue
            if fault_of(rule, self.matter, at_us):
                return rule
        return None


def may_wait(answer: Answer) -> bool:
    """Say whether a refusal only means later: it ends, and its rule is one that requests wait for."""
    reach = answer.rule.reach
    return answer.free_at_us is not None and reach.on_hit == "defer" and not reach.hard


def touching(policy: Policy, subject: Subject) -> list[Rule]:
    """Give the rules of the policy that touch a request. Those of a campaign need one."""
    rules = [
        rule
        for rule in policy.rules_by_class[subject.message_class]
        if rule.reach.by_class or rule.reach.touches(subject)
    ]
    if subject.campaign is None:
        return [rule for rule in rules if not _of_campaign(rule)]
    return rules


def subject_of(
    policy: Policy, state: RecipientState, request: Request, *, kind: Classified, body: Body
) -> Subject:
    """Write a classified request as the rules see it."""
    return Subject(
        message_class=kind.message_class,
        purpose=kind.purpose,
        form=body.form,
        category=body.category,
        brand=request.brand,
        client=request.client,
        number=kind.number,
        recipient_kind=request.recipient_kind,
        campaign=request.campaign,
        tags=request.tags,
        number_region=request.region,
        channel=request.channel,
        priority=request.priority,
        zones=zones_of(policy.zones, contact=state.zone, country=request.country_zones),
    )


def slots_of(policy: Policy, request: Request) -> int:
    """Say how many slots of a cap a request needs."""
    return max(request.parts, 1) if policy.counting.parts == "each" else 1


def consult(
    policy: Policy, state: RecipientState, request: Request, *, kind: Classified, body: Body, now_us: int
) -> Consultation:
    """Let each rule that touches answer for the instant the request wants to go."""
    subject = subject_of(policy, state, request, kind=kind, body=body)
    slots, budget_left = slots_of(policy, request), request.budget_left
    matter = Matter(policy, state, subject, now_us, slots, budget_left)
    start_us = max(now_us, request.not_before_us or now_us)
    rules: list[AnyRule] = [*touching(policy, subject)]
    if kind.message_class == "promo" and (state.cooldowns or state.questions):
        rules.extend(pauses_of(state, brand=request.brand, at_us=start_us))
    answers = tuple([ask(rule, matter, start_us) for rule in rules])
    if request.override:
        return _with_override(matter, request, answers, start_us=start_us)
    failing = tuple([answer for answer in answers if not answer.ok])
    return Consultation(matter, start_us, answers, tuple(rules), failing)


def _with_override(
    matter: Matter, request: Request, answers: tuple[Answer, ...], *, start_us: int
) -> Consultation:
    """Pass over the rules the client names and may pass over; whether they refuse now or later."""
    named = [answer for answer in answers if answer.id in request.override]
    passed = {answer.id for answer in named if _overridable(answer.rule, request)}
    left = [answer for answer in answers if answer.id not in passed]
    return Consultation(
        matter,
        start_us,
        answers,
        rules=tuple(answer.rule for answer in left),
        failing=tuple(answer for answer in left if not answer.ok),
        overridden=tuple(answer.id for answer in named if answer.id in passed and not answer.ok),
        forbidden=next((a for a in named if a.id not in passed and not a.ok), None),
    )


def _overridable(rule: AnyRule, request: Request) -> bool:
    return not rule.reach.hard and not rule.reach.overridable_by.isdisjoint(request.roles)


def _of_campaign(rule: Rule) -> bool:
    match rule:
        case RateRule():
            return rule.per_campaign
        case BudgetRule():
            return rule.per == "campaign"
        case _:
            return False
