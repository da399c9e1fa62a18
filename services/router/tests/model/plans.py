"""Rules to play under: in the oracle's simple form, and the same ones as the engine's values."""

from dataclasses import dataclass, replace
from random import Random
from typing import Final

from garbo.router.domain.policy import ClassRule, Policy
from garbo.router.domain.policy_settings import Zones
from garbo.router.domain.rules import (
    block,
    case_hold,
    consent,
    counting_windows,
    quiet_hours,
    service_window,
)
from garbo.router.domain.rules.cap import CapRule as EngineCapRule
from garbo.router.domain.rules.cap import GapRule, KeepFor, RateRule
from garbo.router.domain.rules.rule import Rule
from garbo.router.domain.selectors import Reach, Selector
from services.router.tests.model.facts import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    AnyRule,
    CapRule,
    ConsentRule,
    HoldRule,
    QuietRule,
    StopRule,
    WindowRule,
)

PROMO: Final = frozenset({"promo"})
ALL: Final = frozenset({"auth", "care", "utility", "promo"})
SEND_BUDGET_US: Final = 45_000_000
SKEW_US: Final = 2_000_000
HISTORY_US: Final = 90 * DAY_US
BASE: Final[tuple[AnyRule, ...]] = (
    StopRule("user-stop", PROMO),
    ConsentRule("opt-in", PROMO),
    WindowRule("wa-window", ALL),
)
WEEK: Final = CapRule("week", PROMO, limit=3, span_us=7 * DAY_US, max_defer_us=8 * DAY_US)
NIGHT: Final = QuietRule("night", PROMO, max_defer_us=48 * HOUR_US)


@dataclass(frozen=True, slots=True)
class Plan:
    """One policy."""

    rules: tuple[AnyRule, ...]
    lease_us: int = 15 * MINUTE_US


WRITTEN: Final = (
    Plan((*BASE, CapRule("c", PROMO, limit=1, span_us=DAY_US))),
    Plan((*BASE, WEEK)),
    Plan((*BASE, replace(WEEK, limit=1))),
    Plan(
        (
            *BASE,
            CapRule("day", PROMO, limit=1, unit="day"),
            CapRule("h20", PROMO, limit=1, span_us=20 * HOUR_US),
        )
    ),
    Plan((*BASE, NIGHT, CapRule("c", PROMO, limit=1, span_us=6 * HOUR_US))),
    Plan((*BASE, QuietRule("sun", PROMO, from_min=0, to_min=1440, days=frozenset({6})), NIGHT, WEEK)),
    Plan(
        (
            *BASE,
            HoldRule("hold", PROMO, max_defer_us=7 * DAY_US),
            CapRule("c", PROMO, limit=2, span_us=DAY_US),
        )
    ),
    Plan((*BASE, replace(WEEK, keep_slots=1, keep_priority=80))),
    Plan((*BASE, CapRule("once", PROMO, limit=1, per="campaign", on_hit="deny"), replace(WEEK, limit=4))),
    Plan(
        (
            *BASE,
            CapRule("brand", PROMO, limit=1, span_us=DAY_US, per="brand"),
            CapRule(
                "gap",
                PROMO,
                span_us=2 * HOUR_US,
                counts=PROMO | {"utility"},
                is_gap=True,
                unless_tag="restock",
            ),
            CapRule("flood", frozenset({"utility"}), limit=3, span_us=DAY_US, counts=frozenset({"utility"})),
        )
    ),
    Plan((*BASE, CapRule("never", PROMO, limit=0, span_us=DAY_US))),
    Plan(
        (
            StopRule("user-stop", PROMO),
            ConsentRule("opt-in", PROMO, double=True, max_age_us=3 * DAY_US),
            BASE[2],
            WEEK,
        )
    ),
    Plan(
        (
            *BASE,
            CapRule("w", PROMO, limit=2, unit="week"),
            CapRule("m", PROMO, limit=3, unit="month", on_hit="deny"),
        )
    ),
    Plan((*BASE, QuietRule("twice", PROMO, from_min=60, to_min=165, max_defer_us=48 * HOUR_US))),
    Plan((*BASE, QuietRule("odd", PROMO, from_min=90, to_min=150, zone="Europe/Rome"), NIGHT)),
)


def plan_of(number: int) -> Plan:
    """Give a plan by number: first those written down, then any other."""
    if number < len(WRITTEN):
        return WRITTEN[number]
    dice = Random(number)
    rules = [*BASE, *(_any_rule(dice, n) for n in range(dice.randint(1, 5)))]
    if dice.random() < 0.2:
        rules[1] = ConsentRule("opt-in", PROMO, max_age_us=dice.randint(1, 10) * DAY_US)
    return Plan(tuple(rules), lease_us=dice.choice((2, 15, 60)) * MINUTE_US)


def _any_rule(dice: Random, n: int) -> AnyRule:
    name, wait_us = f"r{n}", dice.choice((6, 24, 72, 200)) * HOUR_US
    on_hit = "deny" if dice.random() < 0.15 else "defer"
    match dice.randint(0, 5):
        case 0:
            start, end = dice.sample(range(0, 1440, 15), 2)
            days = frozenset(dice.sample(range(7), dice.choice((1, 2, 7))))
            zone = dice.choice(("recipient", "recipient", "Europe/Rome"))
            return QuietRule(name, PROMO, on_hit, wait_us, None, start, end, days, zone)  # type: ignore[arg-type] # one of two
        case 1:
            cool, most = dice.choice((0, 2, 24)) * HOUR_US, dice.choice((1, 7)) * DAY_US
            return HoldRule(name, PROMO, max_defer_us=wait_us, cool_down_us=cool, max_us=most)
        case 2:
            span_us = dice.choice((10 * MINUTE_US, 2 * HOUR_US, 20 * HOUR_US))
            return CapRule(name, PROMO, max_defer_us=wait_us, span_us=span_us, is_gap=True)
        case _:
            return _any_cap(dice, name, wait_us)


def _any_cap(dice: Random, name: str, wait_us: int) -> CapRule:
    counts = frozenset(dice.choice((("promo",), ("promo", "utility"), ("promo", "auth"))))
    cap = CapRule(
        name,
        PROMO if dice.random() < 0.8 else PROMO | {"utility"},
        "deny" if dice.random() < 0.15 else "defer",
        wait_us,
        "restock" if dice.random() < 0.1 else None,
        limit=dice.choice((1, 1, 2, 3)),
        span_us=dice.choice((HOUR_US, 20 * HOUR_US, DAY_US, 7 * DAY_US)),
        counts=counts,
        per=dice.choice(("recipient", "recipient", "brand", "campaign")),
    )
    if dice.random() < 0.3:
        cap = replace(cap, span_us=None, unit=dice.choice(("day", "week", "month", None)))
    if cap.limit > 1 and dice.random() < 0.3:
        cap = replace(cap, keep_slots=1, keep_priority=80)
    return cap


def engine_policy(plan: Plan, *, name: str) -> Policy:
    """Write a plan as the engine's policy."""
    classes = (
        ClassRule("auth", None, frozenset({"authentication"})),
        ClassRule("promo", None, frozenset({"marketing"})),
        ClassRule("promo", frozenset({"promo"}), None),
        ClassRule("care", frozenset({"care"}), None),
        ClassRule("utility", frozenset({"utility"}), frozenset({"utility", "none"})),
        ClassRule("promo", None, None),
    )
    return Policy(
        name=name,
        version=f"sha256:{name}",
        classes=classes,
        rules=tuple(_engine_rule(rule) for rule in plan.rules),
        lease_us=plan.lease_us,
        send_budget_us=SEND_BUDGET_US,
        history_us=HISTORY_US,
        refund_codes=frozenset({131026, 131047, 131049, 131050, 131051}),
        clock_skew_us=SKEW_US,
        zones=Zones(default="Europe/Rome"),
    )


def _engine_rule(rule: AnyRule) -> Rule:
    reach = Reach(
        id=rule.id,
        applies_to=_classes(rule.applies),
        exempt=Selector((("tags", frozenset({rule.unless_tag})),)) if rule.unless_tag else None,
        on_hit=rule.on_hit,
        max_defer_us=rule.max_defer_us,
    )
    match rule:
        case StopRule():
            return block.BlockRule(replace(reach, hard=True), "stopped")
        case ConsentRule():
            hard = replace(reach, hard=True)
            if rule.double:
                return consent.ConsentRule(hard, "marketing", "double", max_age_us=rule.max_age_us)
            return consent.ConsentRule(hard, "marketing", "single", max_age_us=rule.max_age_us)
        case WindowRule():
            free = Selector((("form", frozenset({"free"})),))
            return service_window.WindowRule(
                replace(reach, hard=True, applies_to=free, on_hit="deny"), DAY_US
            )
        case QuietRule():
            return quiet_hours.QuietRule(
                reach, rule.from_min * MINUTE_US, rule.to_min * MINUTE_US, rule.days, rule.zone
            )
        case HoldRule():
            return case_hold.HoldRule(reach, rule.cool_down_us, rule.max_us)
        case CapRule():
            return _engine_rate(rule, reach)


def _engine_rate(rule: CapRule, reach: Reach) -> RateRule:
    window: counting_windows.Window = counting_windows.Lifetime()
    if rule.span_us is not None:
        window = counting_windows.Rolling(rule.span_us, f"{rule.span_us} us")
    elif rule.unit is not None:
        window = counting_windows.Calendar(rule.unit, rule.zone)
    kind = GapRule if rule.is_gap else EngineCapRule
    return kind(
        reach,
        limit=rule.limit,
        window=window,
        counts=_classes(rule.counts),
        per_brand=rule.per == "brand",
        per_campaign=rule.per == "campaign",
        keep_for=KeepFor(rule.keep_slots, rule.keep_priority) if rule.keep_slots else None,
    )


def _classes(names: frozenset[str]) -> Selector:
    return Selector((("message_class", names),))
