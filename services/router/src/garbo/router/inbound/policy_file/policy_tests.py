"""A policy's own tests: run through the decision itself before the policy may be put in force."""

import dataclasses
from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field

from garbo.router.domain.decide import decide
from garbo.router.domain.decision import Decision
from garbo.router.domain.policy import Policy
from garbo.router.domain.values import replace
from garbo.router.inbound.policy_file.diagnostics import Diagnostics
from garbo.router.inbound.policy_file.fields import Maybe, Model, Text
from garbo.router.inbound.policy_file.fixtures import Ask, Given, MessageClass
from garbo.router.inbound.policy_file.instant import Clock, Instant

_TOLD: Final = ("rule", "reason", "class", "next_allowed_at")


class Expect(Model):
    """What must come of it; null for none."""

    verdict: Literal["allow", "defer", "deny"]
    rule: Text | None = None
    """The rule that decides."""
    reason: Maybe[Text] = None
    message_class: Maybe[MessageClass] = Field(default=None, alias="class")
    next_allowed_at: Instant | None = None
    fallback: bool = False
    """Whether the fallback template goes instead."""

    def words(self, clock: Clock) -> dict[str, str]:
        """Give what is expected, as a decision's own words are written."""
        at = self.next_allowed_at
        words = {
            "verdict": self.verdict,
            "next_allowed_at": clock.shown(clock.us_or_none(at)),
            "rule": self.rule or "none",
            "reason": self.reason or "",
            "class": self.message_class or "",
            "fallback": _yes(self.fallback),
        }
        told = {"class" if name == "message_class" else name for name in self.model_fields_set}
        return {name: word for name, word in words.items() if name in told}


class PolicyTest(Model):
    """One test: a person, a request, an instant, and what must come of it."""

    name: Text
    """What holds, as a sentence."""
    at: Instant
    given: Given = Given()
    ask: Ask
    expect: Expect


def run_tests(tests: Mapping[int, PolicyTest], policy: Policy, diagnostics: Diagnostics) -> None:
    """Run tests, by their index in the file; each that fails becomes an error of its own."""
    names = [rule.reach.id for rule in policy.rules]
    for n, test in tests.items():
        if test.expect.rule is not None and test.expect.rule not in names:
            diagnostics.refuse(("tests", n, "expect", "rule"), f"must be one of {', '.join(names)}")
        elif (failure := _failure(test, policy)) is not None:
            diagnostics.refuse(("tests", n, "expect"), failure)


def _failure(test: PolicyTest, policy: Policy) -> str | None:
    """Say what came instead of what was expected; None when the test holds."""
    clock = Clock(test.given.zone or policy.zones.default)
    clock = dataclasses.replace(clock, now_us=clock.us(test.at))
    request = test.ask.to_request(test.given, policy, clock)
    state = test.given.to_state(clock, brand=request.brand)
    of_campaign = tuple(s for s in state.sends if s.campaign and s.campaign == request.campaign)
    decision = decide(policy, replace(state, campaign_sends=of_campaign), request, clock.now_us)
    came = _came(decision, clock)
    for name, expected in test.expect.words(clock).items():
        if came[name] != expected:
            told = ", ".join(f"{name} {came[name]}" for name in _TOLD)
            return f"{name} should be {expected}, but it is {came['verdict']} ({told})"
    return None


def _came(decision: Decision, clock: Clock) -> dict[str, str]:
    deciding = decision.deciding
    return {
        "verdict": decision.verdict,
        "rule": deciding.rule.reach.id if deciding else "none",
        "reason": decision.reason,
        "class": decision.message_class or "none",
        "next_allowed_at": clock.shown(decision.next_allowed_at_us),
        "fallback": _yes(decision.by_fallback),
    }


def _yes(flag: bool) -> str:  # noqa: FBT001 - a word for it
    return "true" if flag else "false"
