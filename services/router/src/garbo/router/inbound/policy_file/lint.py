"""What a file may say rule by rule and can not mean as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from garbo.router.domain.instants import DAY_US
from garbo.router.domain.rules.block import BlockRule
from garbo.router.domain.rules.cap import caps_of
from garbo.router.domain.rules.consent import ConsentRule
from garbo.router.domain.rules.counting_windows import Calendar, Rolling
from garbo.router.domain.rules.quiet_hours import QuietRule
from garbo.router.domain.rules.rule import Rule
from garbo.router.domain.selectors import Selector
from garbo.router.domain.zones import RECIPIENT_ZONE
from garbo.router.inbound.policy_file.document import PolicyFault
from garbo.router.inbound.policy_file.fields import Findings

WEEK_DAYS: Final = 7
_PROMO: Final = Selector((("message_class", frozenset({"promo"})),))


@dataclass(frozen=True, slots=True)
class ReadRule:
    """A rule and the line it stands on."""

    rule: Rule
    line: int


def lint(read: Sequence[ReadRule], *, zones_told: bool, findings: Findings) -> tuple[Rule, ...]:
    """Look at all rules together; faults and warnings go into the findings."""
    _refuse_twins(read, findings)
    _refuse_endless_night(read, findings)
    rules = tuple(item.rule for item in read)
    _warn_of_unguarded_promo(rules, findings)
    _warn_of_calendar_alone(rules, findings)
    _warn_of_unsaid_zone(rules, findings, zones_told=zones_told)
    return rules


def _refuse_twins(read: Sequence[ReadRule], findings: Findings) -> None:
    seen: dict[str, int] = {}
    for item in read:
        name = item.rule.reach.id
        if name in seen:
            mend = f"is used twice, first in line {seen[name]}: give each rule its own"
            findings.faults.append(PolicyFault(item.line, f"rule {name}", "id", mend))
        seen.setdefault(name, item.line)


def _refuse_endless_night(read: Sequence[ReadRule], findings: Findings) -> None:
    """Refuse quiet rules that leave no instant of the week to somebody they touch together."""
    nights = [(item.rule, item.line) for item in read if isinstance(item.rule, QuietRule)]
    for rule, line in nights:
        together = [other for other, _ in nights if other.zone == rule.zone and _touches_too(other, rule)]
        if closes_every_day(together):
            names = ", ".join(other.reach.id for other in together)
            mend = f"closes every day entirely (with all of {names}): leave some hour open"
            findings.faults.append(PolicyFault(line, f"rule {rule.reach.id}", "", mend))
            return


def closes_every_day(rules: Sequence[QuietRule]) -> bool:
    """Say whether the rules together leave no instant of a plain week."""
    week_us = WEEK_DAYS * DAY_US
    spans: list[tuple[int, int]] = []
    for rule in rules:
        for day in rule.days:
            start_us = day * DAY_US + rule.from_us
            end_us = day * DAY_US + rule.to_us + (DAY_US if rule.to_us < rule.from_us else 0)
            spans += [(start_us, end_us), (start_us - week_us, end_us - week_us)]
    covered_us = 0
    for start_us, end_us in sorted(spans):
        if start_us <= covered_us:
            covered_us = max(covered_us, end_us)
    return covered_us >= week_us


def _touches_too(other: QuietRule, rule: QuietRule) -> bool:
    """Say whether somebody `rule` touches, and nobody excepts, is touched by `other` as well."""
    asked = rule.reach.applies_to
    wider = other.reach.applies_to
    if not _implies(asked, Selector(wider.terms)):
        return False
    for left_out in (wider.negated, other.reach.exempt):
        if left_out is not None and _implies(asked, left_out):
            return False
    return True


def _implies(narrow: Selector, wide: Selector) -> bool:
    """Say whether what `narrow` selects by its terms is surely selected by `wide`."""
    terms = dict(narrow.terms)
    return wide.negated is None and all(
        attribute in terms and terms[attribute] <= allowed for attribute, allowed in wide.terms
    )


def _warn_of_unguarded_promo(rules: Sequence[Rule], findings: Findings) -> None:
    over_all = [r for r in rules if _implies(_PROMO, r.reach.applies_to) and r.reach.exempt is None]
    if not any(isinstance(r, ConsentRule) for r in over_all):
        findings.warnings.append("no consent rule over all promo: people get it who never said yes")
    if not any(isinstance(r, BlockRule) and r.state == "stopped" for r in over_all):
        findings.warnings.append("no block rule of state stopped over all promo: people get it who said STOP")


def _warn_of_calendar_alone(rules: Sequence[Rule], findings: Findings) -> None:
    rates = caps_of(rules)
    for rule in rates:
        if not isinstance(rule.window, Calendar):
            continue
        backed = any(
            isinstance(other.window, Rolling)
            and _implies(rule.reach.applies_to, other.reach.applies_to)
            and other.counts == rule.counts
            and (rule.per_brand or not other.per_brand)
            and (rule.per_campaign or not other.per_campaign)
            for other in rates
        )
        if not backed:
            findings.warnings.append(
                f"rule {rule.reach.id}: a calendar cap alone lets through twice its limit around midnight: "
                "add a rolling one over the same"
            )


def _warn_of_unsaid_zone(rules: Sequence[Rule], findings: Findings, *, zones_told: bool) -> None:
    local = [rule.reach.id for rule in rules if rule.wall_clock == RECIPIENT_ZONE]
    if local and not zones_told:
        findings.warnings.append(
            f"rule {local[0]}: whose zone nobody knows is taken to live in UTC: say timezone: default:"
        )
