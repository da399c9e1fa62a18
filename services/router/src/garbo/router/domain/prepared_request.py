"""A request as the rules see it: what it would be sent as, classified, and the rules that match.

What they rest on (windows, cases, cited messages, the zone) no grant changes: it is made once for a request,
and stays true while other requests of the same person are decided before it. And what of it is kept.
"""

from typing import Final

from garbo.router.domain.classify import Classified, classify
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import Body, BudgetLeft, Request, Subject
from garbo.router.domain.rules.budget import BudgetAccount
from garbo.router.domain.rules.rule import Rule
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import Stored, Value, replace
from garbo.router.domain.zones import zones_of

CITED: Final = "cited"
"""In place of the message a request answers: which one it was says nothing to a rule."""


class ClassifiedBody(Value, frozen=True):
    """One thing a request may be sent as: its body, or its fallback."""

    body: Body
    kind: Classified
    subject: Subject
    rules: tuple[Rule, ...]
    """Those of the policy that match, in file order."""


class PreparedRequest(Value, frozen=True):
    """A request, all but decided. Of one instant, one policy, and one state but for what counts."""

    policy: Policy
    request: Request
    now_us: int
    first: ClassifiedBody
    fallback: ClassifiedBody | None
    """Made beforehand only where the policy has budgets; else when it is needed."""
    slots: int
    """How many slots of a cap, or of a budget, it takes: one for each part, where parts count each."""

    @property
    def budgets_needed(self) -> list[BudgetAccount]:
        """The budgets of which something must be left for it to be allowed; its fallback's as well."""
        bodies = (self.first,) if self.fallback is None else (self.first, self.fallback)
        named = {rule.reach.id for body in bodies for rule in body.rules}
        accounts = [
            budget.account(self.policy, self.request, self.now_us)
            for name, budget in self.policy.budgets.items()
            if name in named
        ]
        return [account for account in accounts if account is not None]

    def given(self, budget_left: BudgetLeft) -> "PreparedRequest":
        """Give the same with what is left of the budgets."""
        return replace(self, request=replace(self.request, budget_left=budget_left))


class DecisionInputs(Stored, frozen=True):
    """The request in the decision's words, and what was known of the person, but for the sends."""

    request: Request
    given: RecipientState


def prepare(policy: Policy, state: RecipientState, request: Request, now_us: int) -> PreparedRequest:
    """Classify a request and find the rules that match."""
    first = classified_body(policy, state, request, body=request.body, now_us=now_us)
    fallback = None
    if request.fallback and policy.budgets:
        fallback = classified_body(policy, state, request, body=request.fallback, now_us=now_us)
    slots = max(request.parts, 1) if policy.counting.parts == "each" else 1
    return PreparedRequest(policy, request, now_us, first, fallback, slots)


def classified_body(
    policy: Policy, state: RecipientState, request: Request, *, body: Body, now_us: int
) -> ClassifiedBody:
    """Classify a request as if it were sent as this body."""
    kind = classify(policy, state, request, body=body, now_us=now_us)
    subject = subject_of(policy, state, request, kind=kind, body=body)
    return ClassifiedBody(body, kind, subject, _matching_rules(policy, subject))


def subject_of(
    policy: Policy, state: RecipientState, request: Request, *, kind: Classified, body: Body
) -> Subject:
    """Write a classified request as the rules see it."""
    return Subject(
        message_class=kind.message_class,
        lane="promo" if kind.message_class == "promo" else "care",
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
        zones=zones_of(policy.zones, contact=state.zone_for(request.brand), country=request.country_zones),
    )


def decision_inputs(request: Request, state: RecipientState) -> DecisionInputs:
    """Give what is kept of what a request is decided from. One that answers a message answers `CITED`."""
    cited_us = dict(state.inbound).get(request.reply_to or "")
    asked = replace(request, contact="", budget_left={}, reply_to=None if cited_us is None else CITED)
    given = replace(
        state,
        version=0,
        claims={brand: known for brand, known in state.claims.items() if brand == request.brand},
        sends=(),
        campaign_sends=(),
        inbound=() if cited_us is None else ((CITED, cited_us),),
        stops={brand: replace(stop, by="") for brand, stop in state.stops.items()},
        questions={brand: replace(question, by="") for brand, question in state.questions.items()},
    )
    return DecisionInputs(asked, given)


def _matching_rules(policy: Policy, subject: Subject) -> tuple[Rule, ...]:
    """Give the rules of the policy that match a request. Those of a campaign need one."""
    has_campaign = subject.campaign is not None
    return tuple(
        [
            rule
            for rule in policy.rules_by_class[subject.message_class]
            if (rule.reach.by_class or rule.reach.touches(subject))
            and (has_campaign or not rule.needs_campaign)
        ]
    )
