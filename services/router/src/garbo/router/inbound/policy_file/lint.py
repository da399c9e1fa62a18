"""What a file may say rule by rule and can not mean as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from garbo.router.domain.instants import DAY_US, HOUR_US
from garbo.router.domain.rules.cap import caps_of
from garbo.router.domain.rules.counting_windows import Calendar, Rolling, Window
from garbo.router.domain.rules.rule import Rule
from garbo.router.domain.selectors import Selector
from garbo.router.domain.zones import RECIPIENT_ZONE
from garbo.router.inbound.policy_file.diagnostics import Diagnostics
from garbo.router.inbound.policy_file.rule import WEEK_US, RuleModel

_PROMO: Final = Selector((("message_class", frozenset({"promo"})),))
_LONGEST_US: Final = {"day": 25 * HOUR_US, "week": 8 * DAY_US, "month": 32 * DAY_US}
"""A calendar window and the hour a clock may be set by, or the date a zone may skip."""


@dataclass(frozen=True, slots=True)
class ReadRule:
    """A rule, how it is written, and its index in the list."""

    n: int
    model: RuleModel
    rule: Rule


def refuse_together(read: Sequence[ReadRule], diagnostics: Diagnostics, *, history_us: int) -> bool:
    """Refuse what rules that are fine one by one can not mean together; say whether there was any."""
    known = len(diagnostics.errors)
    _refuse_twins(read, diagnostics)
    _refuse_what_is_forgotten(read, diagnostics, history_us=history_us)
    _refuse_endless_night(read, diagnostics)
    return len(diagnostics.errors) > known


def warn_of_oddities(read: Sequence[ReadRule], diagnostics: Diagnostics, *, zones_told: bool) -> None:
    """Warn of what may be meant and is odd."""
    _warn_of_unguarded_promo(read, diagnostics)
    _warn_of_calendar_alone([item.rule for item in read], diagnostics)
    _warn_of_unsaid_zone([item.rule for item in read], diagnostics, zones_told=zones_told)


def _refuse_twins(read: Sequence[ReadRule], diagnostics: Diagnostics) -> None:
    seen: dict[str, int] = {}
    for item in read:
        if item.model.id in seen:
            line = diagnostics.line_of(("rules", seen[item.model.id]))
            mend = f"is used twice, first in line {line}: give each rule its own"
            diagnostics.refuse(("rules", item.n, "id"), mend)
        seen.setdefault(item.model.id, item.n)


def _refuse_what_is_forgotten(read: Sequence[ReadRule], diagnostics: Diagnostics, *, history_us: int) -> None:
    for item in read:
        for cap in caps_of([item.rule]):
            if _longest_us(cap.window) > history_us:
                field = "min" if cap.type == "gap" else "window"
                diagnostics.refuse(("rules", item.n, field), "is longer than history: raise history")


def _longest_us(window: Window) -> int:
    match window:
        case Rolling(span_us=span_us):
            return span_us
        case Calendar(unit=unit):
            return _LONGEST_US[unit]
        case _:
            return 0


def _refuse_endless_night(read: Sequence[ReadRule], diagnostics: Diagnostics) -> None:
    """Refuse rules that leave no instant of the week to somebody they touch together."""
    nights = [item for item in read if item.model.closed_us]
    for night in nights:
        together = [other for other in nights if _close_together(other.rule, night.rule)]
        if _closes_every_day([other.model for other in together]):
            names = ", ".join(other.model.id for other in together)
            mend = f"closes every day entirely (with all of {names}): leave some hour open"
            diagnostics.refuse(("rules", night.n), mend)
            return


def _closes_every_day(rules: Sequence[RuleModel]) -> bool:
    """Say whether the rules together leave no instant of a plain week."""
    covered_us = 0
    for start_us, end_us in sorted(span for rule in rules for span in rule.closed_us):
        if start_us <= covered_us:
            covered_us = max(covered_us, end_us)
    return covered_us >= WEEK_US


def _close_together(other: Rule, rule: Rule) -> bool:
    """Say whether somebody `rule` touches, and nobody excepts, is touched by `other` by the same clock."""
    asked, wider = rule.reach.applies_to, other.reach.applies_to
    if other.wall_clock != rule.wall_clock or not _implies(asked, Selector(wider.terms)):
        return False
    left_out = (wider.negated, other.reach.exempt)
    return not any(selector is not None and _implies(asked, selector) for selector in left_out)


def _implies(narrow: Selector, wide: Selector) -> bool:
    """Say whether what `narrow` selects by its terms is surely selected by `wide`."""
    terms = dict(narrow.terms)
    return wide.negated is None and all(
        attribute in terms and terms[attribute] <= allowed for attribute, allowed in wide.terms
    )


def _warn_of_unguarded_promo(read: Sequence[ReadRule], diagnostics: Diagnostics) -> None:
    over_all = [r for r in read if _implies(_PROMO, r.rule.reach.applies_to) and r.rule.reach.exempt is None]
    guards = {item.model.guards_promo for item in over_all}
    if "consent" not in guards:
        diagnostics.warn("no consent rule over all promo: people get it who never said yes")
    if "stop" not in guards:
        diagnostics.warn("no block rule of state stopped over all promo: people get it who said STOP")


def _warn_of_calendar_alone(rules: Sequence[Rule], diagnostics: Diagnostics) -> None:
    caps = caps_of(rules)
    for cap in caps:
        if not isinstance(cap.window, Calendar):
            continue
        backed = any(
            isinstance(other.window, Rolling)
            and _implies(cap.reach.applies_to, other.reach.applies_to)
            and other.counts == cap.counts
            and (cap.per_brand or not other.per_brand)
            and (cap.per_campaign or not other.per_campaign)
            for other in caps
        )
        if not backed:
            diagnostics.warn(
                f"rule {cap.reach.id}: a calendar cap alone lets through twice its limit around midnight: "
                "add a rolling one over the same"
            )


def _warn_of_unsaid_zone(rules: Sequence[Rule], diagnostics: Diagnostics, *, zones_told: bool) -> None:
    local = [rule.reach.id for rule in rules if rule.wall_clock == RECIPIENT_ZONE]
    if local and not zones_told:
        diagnostics.warn(
            f"rule {local[0]}: whose zone nobody knows is taken to live in UTC: say timezone: default:"
        )
