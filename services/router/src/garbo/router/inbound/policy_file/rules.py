"""One rule of the policy file, from mapping to value."""

from typing import Final, Literal

from garbo.router.domain.instants import DAY_US, HOUR_US
from garbo.router.domain.rules.block import BlockRule
from garbo.router.domain.rules.case_hold import HoldRule
from garbo.router.domain.rules.consent import ConsentRule
from garbo.router.domain.rules.platform_pause import PAUSES
from garbo.router.domain.rules.quiet_hours import QuietRule
from garbo.router.domain.rules.registry import RULES
from garbo.router.domain.rules.rule import Rule, TimedRule
from garbo.router.domain.rules.service_window import WindowRule
from garbo.router.domain.selectors import Reach
from garbo.router.inbound.policy_file.document import Node
from garbo.router.inbound.policy_file.fields import Fields
from garbo.router.inbound.policy_file.rates import Limits, read_budget, read_cap, read_gap, read_zone
from garbo.router.inbound.policy_file.selectors import APPLIES, read_selector

RULE_TYPES: Final = tuple(word for kind in RULES for word in kind.types)
TIMELESS: Final = frozenset(word for kind in RULES if not issubclass(kind, TimedRule) for word in kind.types)
"""Waiting alone does not help against these."""
STATES: Final[tuple[Literal["erased", "stopped", "always"], ...]] = ("erased", "stopped", "always")
PURPOSES: Final = ("marketing", "utility", "care", "profiling")
LEVELS: Final[tuple[Literal["single", "double"], ...]] = ("single", "double")
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEFAULT_DEFER_US: Final = 72 * HOUR_US


def read_rule(node: Node, *, where: str, limits: Limits) -> Rule:
    """Read one rule; raises `PolicyFault`."""
    fields = Fields(node, where=where)
    rule_id = fields.name("id")
    fields.where = f"rule {rule_id}"
    if rule_id in PAUSES:
        raise fields.fault("id", "is the name of a check of the router's own: choose another")
    kind = fields.word("type", of=RULE_TYPES)
    rule = _rule_of(kind, fields, _reach(fields, rule_id, kind=kind), limits=limits)
    fields.done()
    return rule


def _rule_of(kind: str, fields: Fields, reach: Reach, *, limits: Limits) -> Rule:
    match kind:
        case "block":
            return BlockRule(reach, state=fields.word("state", of=STATES))
        case "consent":
            return _consent(fields, reach)
        case "window":
            return WindowRule(reach, open_us=fields.duration_us("open", default="24h", most_us=DAY_US)[0])
        case "quiet":
            return _quiet(fields, reach)
        case "hold":
            fields.word("state", of=("case_open",), default="case_open")
            cool_down_us, _ = fields.duration_us("cool_down", default="24h", zero=True)
            return HoldRule(reach, cool_down_us, max_us=fields.duration_us("max", default="7d")[0])
        case "cap":
            return read_cap(fields, reach, limits)
        case "gap":
            return read_gap(fields, reach, limits)
        case _:
            return read_budget(fields, reach, limits)


def _reach(fields: Fields, rule_id: str, *, kind: str) -> Reach:
    hard = fields.flag("hard")
    on_hit, max_defer_us = _on_hit(fields, kind=kind)
    roles = fields.words("overridable_by") or frozenset()
    if hard and roles:
        raise fields.fault("overridable_by", "stands beside hard, which nobody may pass: remove one of them")
    return Reach(
        id=rule_id,
        applies_to=read_selector(fields, "applies_to", APPLIES),
        exempt=read_selector(fields, "except", APPLIES) if fields.has("except") else None,
        on_hit="deny" if on_hit == "deny" else "defer",
        max_defer_us=max_defer_us,
        hard=hard,
        overridable_by=roles,
    )


def _on_hit(fields: Fields, *, kind: str) -> tuple[str, int | None]:
    """Read `deny`, or a mapping with `defer` (the longest wait) or `fallback: template`."""
    if not fields.has("on_hit"):
        return ("deny", None) if kind in TIMELESS else ("defer", DEFAULT_DEFER_US)
    node = fields.take("on_hit")
    if node.value == "deny":
        return "deny", None
    if not isinstance(node.value, dict):
        raise fields.fault("on_hit", "must be deny, or { defer: 48h }")
    inner = Fields(node, where=f"{fields.where}: on_hit")
    if inner.has("fallback"):
        if kind != "window":
            raise inner.fault("fallback", "is for window rules: use deny, or { defer: 48h }")
        inner.word("fallback", of=("template",))
        inner.done()
        return "deny", None
    span_us, _ = inner.duration_us("defer")
    inner.done()
    if kind in TIMELESS:
        raise inner.fault("defer", f"does not help: no time passes a {kind} rule; remove on_hit")
    return "defer", span_us


def _consent(fields: Fields, reach: Reach) -> ConsentRule:
    level = fields.word("level", of=LEVELS, default="single")
    purpose = fields.word("purpose", of=PURPOSES)
    age_us, months = fields.age("max_age") if fields.has("max_age") else (None, None)
    return ConsentRule(reach, purpose=purpose, level=level, max_age_us=age_us, max_age_months=months)


def _quiet(fields: Fields, reach: Reach) -> QuietRule:
    from_us, to_us = fields.wall_time_us("from"), fields.wall_time_us("to")
    if from_us == DAY_US:
        raise fields.fault("from", 'must be before 24:00: write "00:00" of the next day')
    if from_us == to_us:
        raise fields.fault("to", 'equals from: write from: "00:00", to: "24:00" for a whole day')
    return QuietRule(
        reach,
        from_us=from_us,
        to_us=to_us or DAY_US,
        days=_days(fields),
        zone=read_zone(fields, "zone"),
    )


def _days(fields: Fields) -> frozenset[int]:
    days = fields.words("days") or frozenset({"all"})
    if days == {"all"}:
        return frozenset(range(len(DAYS)))
    if days - set(DAYS):
        raise fields.fault("days", f"must be all, or of {', '.join(DAYS)}")
    return frozenset(DAYS.index(day) for day in days)
