"""A second opinion on every decision: slow, obvious, and written apart from the engine.

It knows facts (who wrote, who stopped, what was sent and when) and rules in a simple form. It answers by
trying instants one after the other: every instant at which anything could change is a candidate, and the
first that every rule permits is the answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.router.tests.model.facts import (
    DAY_US,
    Answer,
    AnyRule,
    Asked,
    CapRule,
    ConsentRule,
    Facts,
    HoldRule,
    QuietRule,
    Sent,
    StopRule,
    TimedRule,
    WindowRule,
)
from services.router.tests.model.wallclock import (
    ends_after,
    nights,
    period_start,
    periods,
    quiet_at,
)

HORIZON_US = 70 * DAY_US
"""Rules that together permit nothing until then permit nothing at all."""


@dataclass(frozen=True, slots=True)
class Oracle:
    """Rules in file order, and an instant near which wall clocks are read."""

    rules: tuple[AnyRule, ...]
    middle_us: int

    def answer(self, facts: Facts, asked: Asked, now_us: int) -> Answer:
        """Say what must be decided."""
        if asked.expires_at_us is not None and asked.expires_at_us < now_us:
            return Answer("deny", "expired")
        start_us = max(now_us, asked.not_before_us)
        touching = [rule for rule in self.rules if self.touches(rule, asked)]
        refusing = [rule for rule in touching if not self.permits(rule, facts, asked, start_us)]
        timed = [rule for rule in touching if isinstance(rule, TimedRule)]
        next_us, movers = self.first_permitted(timed, facts, asked, start_us)
        shut = next_us is not None and any(
            not self.permits(rule, facts, asked, next_us) for rule in touching if rule not in refusing + timed
        )
        for rule in refusing:
            if self.is_final(rule, facts, asked, start_us):
                helps = any(
                    r in timed and self.earliest(r, facts, asked, start_us) is not None for r in refusing
                )
                return Answer("deny", reason_of(rule), rule.id, next_us if helps and not shut else None)
        if next_us == now_us:
            return Answer("allow", "allowed")
        if next_us is None and not movers:
            return Answer("deny", "never")
        guess = any(self.is_guess(rule, facts, asked, start_us) for rule in refusing)
        if next_us is None or (shut and not guess):
            return Answer("deny", reason_of(movers[-1]), movers[-1].id)
        certain = [rule for rule in movers if not guess or rule in refusing]
        return self._wait(asked, movers, certain, next_us=next_us, now_us=now_us, guess=guess)

    def is_final(self, rule: AnyRule, facts: Facts, asked: Asked, at_us: int) -> bool:
        """Say whether a rule's refusal is one that no waiting helps, or that wants none."""
        if not isinstance(rule, TimedRule) or rule.on_hit == "deny":
            return True
        return self.earliest(rule, facts, asked, at_us) is None

    def is_guess(self, rule: AnyRule, facts: Facts, asked: Asked, at_us: int) -> bool:
        """Say whether a cap is full of sends of which one may still count at an earlier instant."""
        if not isinstance(rule, CapRule):
            return False
        inside = (self._since(rule, at_us, zone) for zone in zones_of(rule, facts))
        first_us = min(inside)
        return any(
            sent.open and sent.at_us >= first_us and counts(rule, sent, asked)
            for sent in facts.sends.values()
        )

    def first_permitted(
        self, timed: Sequence[AnyRule], facts: Facts, asked: Asked, from_us: int
    ) -> tuple[int | None, list[AnyRule]]:
        """Find the least instant all rules permit, and who moved it, in the order of the moves."""
        at_us = from_us
        movers: list[AnyRule] = []
        while True:
            wishes = [(self.earliest(rule, facts, asked, at_us), rule) for rule in timed]
            never = [rule for wish, rule in wishes if wish is None]
            if at_us > self.middle_us + HORIZON_US:
                return None, []
            if never:
                return None, [*movers, *never[:1]]
            latest_us = max((wish for wish, _ in wishes if wish is not None), default=at_us)
            if latest_us == at_us:
                return at_us, movers
            movers += [rule for wish, rule in wishes if wish == latest_us][::-1]
            at_us = latest_us

    def earliest(self, rule: AnyRule, facts: Facts, asked: Asked, from_us: int) -> int | None:
        """Try one instant after the other until the rule permits it."""
        for at_us in sorted({from_us, *(c for c in self.changes(rule, facts, from_us) if c > from_us)}):
            if self.permits(rule, facts, asked, at_us):
                return at_us
        return None

    def permits(self, rule: AnyRule, facts: Facts, asked: Asked, at_us: int) -> bool:
        """Say whether a rule permits a send at an instant."""
        match rule:
            case StopRule():
                return not stopped(facts, asked.brand)
            case ConsentRule():
                return consented(rule, facts, asked.brand, at_us)
            case WindowRule():
                return not asked.free_form or any(
                    number == asked.number and at_us < wrote_us + DAY_US for number, wrote_us in facts.wrote
                )
            case QuietRule():
                return not any(quiet_at(closed, at_us) for closed in self.closed(rule, facts))
            case HoldRule():
                ends = [
                    case_ends(rule, case) for (brand, _), case in facts.cases.items() if brand == asked.brand
                ]
                return at_us >= max(ends, default=0)
            case CapRule():
                return all(self._has_room(rule, facts, asked, at_us, zone) for zone in zones_of(rule, facts))

    def changes(self, rule: AnyRule, facts: Facts, from_us: int) -> Iterator[int]:
        """Give every instant at which the rule's answer could change for the better."""
        match rule:
            case QuietRule():
                for closed in self.closed(rule, facts):
                    yield from ends_after(closed, from_us)
            case HoldRule():
                yield from (case_ends(rule, case) for case in facts.cases.values())
            case CapRule(span_us=int(span_us)):
                yield from (sent.at_us + span_us for sent in facts.sends.values())
            case CapRule(unit=unit) if unit is not None:
                for zone in zones_of(rule, facts):
                    yield from periods(zone, self.middle_us, unit)
            case _:
                pass

    def closed(self, rule: QuietRule, facts: Facts) -> list[list[tuple[int, int]]]:
        """Give the closed intervals of a quiet rule, for each clock that counts."""
        return [
            nights(zone, self.middle_us, rule.from_min, rule.to_min, rule.days)
            for zone in zones_of(rule, facts)
        ]

    def touches(self, rule: AnyRule, asked: Asked) -> bool:
        """Say whether a rule has a say."""
        if isinstance(rule, CapRule) and rule.per == "campaign" and asked.campaign is None:
            return False
        if isinstance(rule, WindowRule) and not asked.free_form:
            return False
        return asked.message_class in rule.applies and rule.unless_tag not in asked.tags

    def _since(self, rule: CapRule, at_us: int, zone: str) -> int:
        if rule.span_us is not None:
            return at_us - rule.span_us + 1
        return period_start(periods(zone, self.middle_us, rule.unit), at_us) if rule.unit is not None else 0

    def _has_room(self, rule: CapRule, facts: Facts, asked: Asked, at_us: int, zone: str) -> bool:
        since_us = self._since(rule, at_us, zone)
        used = sum(sent.at_us >= since_us for sent in facts.sends.values() if counts(rule, sent, asked))
        kept = rule.keep_slots if asked.priority < rule.keep_priority else 0
        return used < rule.limit - kept

    def _wait(
        self,
        asked: Asked,
        movers: Sequence[AnyRule],
        certain: Sequence[AnyRule],
        *,
        next_us: int,
        now_us: int,
        guess: bool,
    ) -> Answer:
        named = movers[-1].id if movers else None
        first_us = now_us if asked.first_decided_at_us is None else asked.first_decided_at_us

        def latest_us(rules: Sequence[AnyRule]) -> int:
            ends = [first_us + rule.max_defer_us for rule in rules]
            return min([*ends, asked.expires_at_us or next_us])

        if next_us > latest_us(movers) and not (guess and latest_us(certain) > now_us):
            return Answer("deny", "would_expire", named, next_us)
        reason = "not_before" if not movers else reason_of(movers[-1])
        return Answer("defer", reason, named, next_us)


def counts(rule: CapRule, sent: Sent, asked: Asked) -> bool:
    """Say whether a cap counts a send for this request."""
    return (
        sent.message_class in rule.counts
        and (rule.per != "brand" or sent.brand == asked.brand)
        and (rule.per != "campaign" or sent.campaign == asked.campaign)
    )


def zones_of(rule: QuietRule | CapRule, facts: Facts) -> tuple[str, ...]:
    """Give the clocks that count."""
    return facts.zones if rule.zone == "recipient" else (rule.zone,)


def case_ends(rule: HoldRule, case: tuple[int, int | None]) -> int:
    """Give the instant from which a case holds nothing."""
    opened_us, closed_us = case
    ends = [opened_us + rule.max_us] + ([] if closed_us is None else [closed_us + rule.cool_down_us])
    return min(ends)


def stopped(facts: Facts, brand: str) -> bool:
    """Say whether the last word to the brand was STOP; at the same instant STOP is the last."""
    words = [(at_us, is_stop) for about, at_us, is_stop in facts.stops if about == brand]
    return bool(words) and max(words)[1]


def consented(rule: ConsentRule, facts: Facts, brand: str, at_us: int) -> bool:
    """Say whether a consent stands, of the level asked, young enough; of two at once the withdrawal wins."""
    acts = [(when_us, action) for about, action, when_us in facts.consents if about in (brand, "*")]
    gone_us = max((when_us for when_us, action in acts if action == "withdrawn"), default=-1)
    strong = {"confirmed"} if rule.double else {"given", "confirmed", "imported"}
    best_us = max((when_us for when_us, action in acts if action in strong), default=-1)
    return best_us > gone_us and (rule.max_age_us is None or at_us < best_us + rule.max_age_us)


def reason_of(rule: AnyRule) -> str:
    """Name what a rule's refusal is called, as far as it is always the same."""
    match rule:
        case StopRule():
            return "stopped"
        case ConsentRule():
            return "consent"
        case WindowRule():
            return "window_closed"
        case QuietRule():
            return "quiet"
        case HoldRule():
            return "case_open"
        case CapRule():
            return "gap" if rule.is_gap else "cap_reached"
