"""The rules alone against the oracle: one person with a past, made up by dice, and one question."""

from random import Random
from typing import Final
from uuid import UUID

from garbo.common.events.ids import MessageId
from garbo.router.domain.decide import decide
from garbo.router.domain.decision import Decision
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import Request
from garbo.router.domain.state import Case, Claims, Consent, RecipientState, Send, Stop
from services.router.tests.model.cast import NUMBERS
from services.router.tests.model.facts import DAY_US, HOUR_US, MINUTE_US, Answer, Asked, Facts, Sent
from services.router.tests.model.oracle import Oracle
from services.router.tests.model.plans import SKEW_US, WRITTEN, engine_policy, plan_of
from services.router.tests.model.wallclock import us
from services.router.tests.support.build_domain import AUTH, FREE, PROMO, UTILITY, a_request

MIDDLES: Final = tuple(
    us(f"{day}T00:00:00Z") for day in ("2026-03-29", "2026-10-25", "2026-04-24", "2026-06-10", "2026-09-06")
)
WHERE: Final = (
    ("Europe/Rome",),
    ("Europe/Rome",),
    ("America/New_York", "America/Chicago", "America/Los_Angeles"),
    ("Asia/Kathmandu",),
    ("Africa/Cairo",),
    ("Australia/Lord_Howe", "Australia/Perth"),
    ("America/Santiago",),
    ("America/Havana",),
)
HALF: Final = 0.5
BODIES: Final = {"promo": PROMO, "utility": UTILITY, "auth": AUTH, "care": FREE}
POLICIES: Final = [engine_policy(plan_of(n), name=f"p{n}") for n in range(len(WRITTEN) + 120)]


def compare(seed: int) -> str:
    """Ask both about one person; give the verdict. Raises AssertionError where they differ."""
    dice = Random(seed)
    number = dice.randrange(len(WRITTEN) if dice.random() < HALF else len(POLICIES))
    middle_us = dice.choice(MIDDLES)
    now_us = middle_us + _moment(dice)
    facts = _past(dice, now_us)
    asked = _asked(dice, facts, now_us)
    policy, oracle = POLICIES[number], Oracle(plan_of(number).rules, middle_us)
    answer = oracle.answer(facts, asked, now_us)
    decision = decide(policy, _state(facts), _request(asked, facts, now_us), now_us)
    _same(answer, decision)
    if decision.terms is not None:
        _judge_lease(oracle, policy, facts, asked, now_us=now_us, until_us=decision.terms.valid_until_us)
    return decision.verdict


def _same(answer: Answer, decision: Decision) -> None:
    rule = decision.deciding.id if decision.deciding else None
    faults = {"not_opted_in", "opt_in_unconfirmed", "consent_expired"}
    reason = "consent" if decision.reason in faults else decision.reason
    if answer.reason == "never":
        rule, reason = None, "never"
    told = (decision.verdict, reason, rule, decision.next_allowed_at_us)
    expected = (answer.verdict, answer.reason, answer.rule, answer.next_allowed_at_us)
    assert told == expected, f"decided {told}, the oracle says {expected}"
    due_us, next_us = decision.due_at_us or 0, answer.next_allowed_at_us or 0
    if decision.verdict == "defer" and not (decision.provisional and due_us < next_us):  # else until its end
        assert due_us == next_us


def _judge_lease(
    oracle: Oracle, policy: Policy, facts: Facts, asked: Asked, *, now_us: int, until_us: int
) -> None:
    """Every rule permits a claim at every minute of the lease, and a clock's difference after it."""
    assert now_us < until_us <= now_us + policy.lease_us, "a lease that is empty or too long"
    if asked.expires_at_us is not None:
        grace_us = policy.clock_skew_us if asked.expires_at_us == now_us else 0
        assert until_us <= asked.expires_at_us + grace_us
    rules = [rule for rule in oracle.rules if oracle.touches(rule, asked)]
    for at_us in {*range(now_us, until_us, MINUTE_US), until_us - 1}:
        assert all(oracle.permits(rule, facts, asked, at_us) for rule in rules), "a rule closes in a lease"
    late_us = until_us - 1 + SKEW_US
    if (
        until_us < min(now_us + policy.lease_us, asked.expires_at_us or 1 << 62)
        and until_us > now_us + SKEW_US
    ):
        refusing = [rule for rule in rules if not oracle.permits(rule, facts, asked, late_us + 1)]
        assert refusing, "a lease ends early for nothing"


def _moment(dice: Random) -> int:
    """Pick an instant, half of them in the hours around a change of the clocks."""
    fine = dice.choice((0, 0, 1, -1, dice.randrange(MINUTE_US)))
    quarters = 12 if dice.random() < HALF else 3 * 96
    return dice.randrange(-quarters, quarters) * 15 * MINUTE_US + fine


def _past(dice: Random, now_us: int) -> Facts:
    facts = Facts(zones=dice.choice(WHERE))
    for n in range(dice.choice((0, 1, 2, 3, 5, 8))):
        ahead = dice.random() < 0.2
        past_us = dice.randrange(dice.choice((HOUR_US, DAY_US, 9 * DAY_US)))
        at_us = (
            now_us + dice.randrange(20 * MINUTE_US) if ahead else now_us - past_us // MINUTE_US * MINUTE_US
        )
        word = dice.choice(("promo", "promo", "utility", "auth"))
        brand, campaign = dice.choice(("acme", "acme", "bolt")), dice.choice((None, "spring", "autumn"))
        facts.sends[UUID(int=n + 1)] = Sent(at_us, word, brand, campaign, ahead)
    for brand in ("acme", "bolt"):
        if dice.random() < 0.1:
            facts.stops.append((brand, now_us - dice.choice((0, DAY_US)), True))
            if dice.random() < 0.5:
                facts.stops.append((brand, now_us - dice.choice((0, HOUR_US, DAY_US)), False))
        for action in ("given", "confirmed", "withdrawn"):
            if dice.random() < (0.05 if action == "withdrawn" else 0.9):
                facts.consents.append((brand, action, now_us - dice.choice((0, HOUR_US, DAY_US, 5 * DAY_US))))
        if dice.random() < 0.2:
            opened_us = now_us - dice.randrange(1, 8 * DAY_US)
            closed_us = None if dice.random() < 0.5 else dice.randrange(opened_us, now_us + 1)
            facts.cases[brand, "a"] = (opened_us, closed_us)
    if dice.random() < 0.5:
        facts.wrote.append(
            ("1001", now_us - dice.choice((0, DAY_US - 1, DAY_US, dice.randrange(2 * DAY_US))))
        )
    return facts


def _asked(dice: Random, facts: Facts, now_us: int) -> Asked:
    kind = dice.choice(("promo",) * 6 + ("utility", "auth", "care"))
    window_open = any(wrote_us + DAY_US > now_us for _, wrote_us in facts.wrote)
    stands = window_open or any(b == "acme" and closed is None for (b, _), (_, closed) in facts.cases.items())
    wait_us = dice.choice((0, 0, 0, 1, HOUR_US, 12 * HOUR_US))
    lasts_us = dice.choice((None, None, 1, 30 * MINUTE_US, 20 * HOUR_US, 0))
    expires_us = None if lasts_us is None else now_us + lasts_us
    return Asked(
        message_class="promo" if kind == "care" and not stands else kind,
        brand="acme",
        campaign=dice.choice((None, "spring")),
        tags=dice.choice(((), (), ("restock",))),
        priority=dice.choice((50, 79, 80, 90)),
        free_form=kind == "care",
        number="1001",
        not_before_us=now_us + wait_us if wait_us else 0,
        expires_at_us=expires_us
        if kind != "auth"
        else min(expires_us or now_us + 600_000_000, now_us + 900_000_000),
        first_decided_at_us=dice.choice((now_us, now_us - HOUR_US, now_us - 2 * DAY_US)),
    )


def _request(asked: Asked, facts: Facts, now_us: int) -> Request:
    kind = "care" if asked.free_form else asked.message_class
    return a_request(
        purpose=kind,
        body=BODIES[kind],
        priority=asked.priority,
        campaign=asked.campaign,
        tags=asked.tags,
        requested_at_us=now_us,
        not_before_us=asked.not_before_us or None,
        expires_at_us=asked.expires_at_us,
        first_decided_at_us=asked.first_decided_at_us,
        country_zones=facts.zones if len(facts.zones) > 1 else (),
    )


def _state(facts: Facts) -> RecipientState:
    sends = tuple(
        Send(MessageId(key), s.at_us, s.message_class, s.brand, s.campaign, open=s.open)
        for key, s in facts.sends.items()
        if isinstance(key, UUID)
    )
    consents: dict[str, Consent] = {}
    for brand in ("acme", "bolt"):
        acts = {action: at for about, action, at in facts.consents if about == brand}
        consents[f"{brand}/*/marketing"] = Consent(
            acts.get("given"), acts.get("confirmed"), acts.get("withdrawn")
        )
    stops: dict[str, Stop] = {}
    for brand, at_us, is_stop in facts.stops:
        known = stops.get(brand, Stop())
        stops[brand] = Stop(at_us, known.started_at_us) if is_stop else Stop(known.stopped_at_us, at_us)
    return RecipientState(
        claims={brand: Claims(zone=facts.zones[0] if len(facts.zones) == 1 else None) for brand in NUMBERS},
        sends=sends,
        consents=consents,
        stops=stops,
        cases={f"crm:{b}{n}": Case(opened, closed, b) for (b, n), (opened, closed) in facts.cases.items()},
        inbound_at_us=dict(facts.wrote),
    )
