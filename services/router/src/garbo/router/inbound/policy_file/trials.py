"""A policy's own tests: run through the decision itself before the policy may be put in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from garbo.router.domain.decide import decide
from garbo.router.domain.decision import Decision
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import Request
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from garbo.router.inbound.policy_file.clock import Clock
from garbo.router.inbound.policy_file.document import Node
from garbo.router.inbound.policy_file.fields import Fields, Findings
from garbo.router.inbound.policy_file.given import PURPOSES, read_ask, read_given, read_zone_of

VERDICTS: Final = ("allow", "defer", "deny")
EXPECTED: Final = ("verdict", "rule", "reason", "class", "next_allowed_at", "fallback")


@dataclass(frozen=True, slots=True)
class Trial:
    """One test: a person, a request, an instant, and what must come of it."""

    state: RecipientState
    request: Request
    clock: Clock
    expected: dict[str, str]
    """As a decision's own words are written."""


def run_trials(tests: Sequence[Node], policy: Policy, findings: Findings) -> None:
    """Read and run all tests; each that can not be read or fails becomes a fault of its own."""
    for n, node in enumerate(tests, start=1):
        findings.tried(partial(_run, node, policy, where=f"test number {n}"), None)


def _run(node: Node, policy: Policy, *, where: str) -> None:
    fields = Fields(node, where=where)
    fields.where = f"test {fields.text('name')!r}"
    trial = _read(fields, policy)
    decision = decide(policy, trial.state, trial.request, trial.clock.now_us)
    came = _came(decision, trial.clock)
    for name, expected in trial.expected.items():
        if came[name] != expected:
            raise fields.fault("expect", f"{name} should be {expected}, but {_told(came)}")


def _read(fields: Fields, policy: Policy) -> Trial:
    given = fields.child("given")
    zone = read_zone_of(given)
    clock = Clock(zone or policy.zones.default)
    clock = replace(clock, now_us=clock.instant_us(fields, "at"))
    known = read_given(given, zone=zone, clock=clock)
    fields.must_have("ask")
    request = read_ask(fields.child("ask"), known, policy, clock)
    fields.must_have("expect")
    expected = _expected(fields.child("expect"), policy, clock)
    fields.done()
    state = replace(
        known.state,
        campaign_sends=tuple(s for s in known.state.sends if s.campaign and s.campaign == request.campaign),
    )
    return Trial(state, request, clock, expected)


def _expected(fields: Fields, policy: Policy, clock: Clock) -> dict[str, str]:
    expected = {"verdict": fields.word("verdict", of=VERDICTS)}
    if fields.is_null("next_allowed_at"):
        expected["next_allowed_at"] = clock.shown(None)
    elif fields.has("next_allowed_at"):
        expected["next_allowed_at"] = clock.shown(clock.instant_us(fields, "next_allowed_at"))
    if fields.is_null("rule"):
        expected["rule"] = "none"
    elif fields.has("rule"):
        expected["rule"] = fields.word("rule", of=tuple(rule.reach.id for rule in policy.rules))
    if fields.has("reason"):
        expected["reason"] = fields.text("reason")
    if fields.has("class"):
        expected["class"] = fields.word("class", of=PURPOSES)
    if fields.told("fallback"):
        expected["fallback"] = _yes(fields.flag("fallback"))
    fields.done()
    return expected


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


def _told(came: dict[str, str]) -> str:
    facts = ", ".join(f"{name} {came[name]}" for name in EXPECTED if name not in ("verdict", "fallback"))
    return f"it is {came['verdict']} ({facts})"


def _yes(flag: bool) -> str:  # noqa: FBT001 - a word for it
    return "true" if flag else "false"
