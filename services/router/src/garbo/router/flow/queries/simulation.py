"""Use case: what another policy would have made of the past, person by person, in bounded memory."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from garbo.common.events.ids import ContactId
from garbo.router.domain.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_datetime
from garbo.router.domain.policy import Policy
from garbo.router.domain.replay import Fate, PastRequest, replay
from garbo.router.flow.simulation_report import (
    Agreement,
    ChangeKind,
    Delays,
    DelayStep,
    Ended,
    Ends,
    Example,
    Group,
    PolicyNamed,
    RuleEffect,
    RuleHits,
    Shift,
    SimulationReport,
)

MOST_EXAMPLES: Final = 100
MOST_OF_A_KIND: Final = 40
MOST_CAMPAIGNS: Final = 10_000
"""Counted by name; the rest together."""
CAMPAIGNS_SHOWN: Final = 200
THE_REST: Final = "(others)"
NO_CAMPAIGN: Final = "(none)"
DELAY_STEPS_US: Final = (MINUTE_US, HOUR_US, 6 * HOUR_US, 12 * HOUR_US, DAY_US, 2 * DAY_US, 3 * DAY_US)
WAITED_FINENESS_US: Final = 10 * SECOND_US
"""Waits are counted to this; 90 days of it are less than a million counters."""


@dataclass(frozen=True, slots=True)
class Period:
    """Which requests are compared. Others of the same people are replayed with them, for the caps' sake."""

    since_us: int
    """What was asked before only fills caps."""
    until_us: int
    brand: str | None = None

    def holds(self, asked: PastRequest) -> bool:
        """Say whether a request is one of those compared."""
        return asked.at_us >= self.since_us and self.brand in (None, asked.request.brand)


@dataclass(slots=True)
class _Tally:
    """Counts of one group of requests."""

    requests: int = 0
    current: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)

    def add(self, current: Fate, other: Fate, change: str) -> None:
        self.requests += 1
        _count_end(self.current, current)
        _count_end(self.other, other)
        self.changes[change] += 1

    def group(self, name: str) -> Group:
        return Group(
            name=name,
            requests=self.requests,
            current=Ends(**self.current),
            other=Ends(**self.other),
            messages=Shift(**self.changes),
        )


class Simulation:
    """Replays each person's requests under both policies and adds up what differs. Used once."""

    def __init__(self, *, current: Policy, other: Policy, period: Period) -> None:
        self._policies, self._period = (current, other), period
        self._all = _Tally()
        self._classes: dict[str, _Tally] = {}
        self._campaigns: dict[str, _Tally] = {}
        self._rules: tuple[Counter[tuple[str, str]], ...] = (Counter(), Counter())
        self._waits: tuple[Counter[int], ...] = (Counter(), Counter())
        self._people: Counter[str] = Counter()
        self._examples: dict[str, list[Example]] = {}
        self._agreed = 0
        self.contacts = self.skipped = 0

    @property
    def requests(self) -> int:
        """How many were replayed so far."""
        return self._all.requests

    def take(self, contact_id: ContactId, past: Sequence[PastRequest]) -> None:
        """Replay all requests of one person."""
        if not any(map(self._period.holds, past)):
            return
        until_us = self._period.until_us
        current, other = (replay(policy, past, until_us=until_us) for policy in self._policies)
        changes = set[str]()
        for asked, before, after in zip(past, current, other, strict=True):
            if not self._period.holds(asked):
                continue
            change = change_of(before, after)
            changes.add(change)
            self._add(asked, before, after, change)
            if change != "same":
                self._exemplify(contact_id, asked, (before, after), change)
        self.contacts += 1
        self._people.update(changes - {"same"} or {"same"})

    def report(self, *, took_s: float = 0.0) -> SimulationReport:
        """Give what was found."""
        campaigns = sorted(self._campaigns.items(), key=_by_changes)[:CAMPAIGNS_SHOWN]
        current, other = (PolicyNamed(name=p.name, version=p.version) for p in self._policies)
        total = self._all.requests
        return SimulationReport(
            since=to_datetime(self._period.since_us),
            until=to_datetime(self._period.until_us),
            brand=self._period.brand,
            current_policy=current,
            other_policy=other,
            requests=total,
            contacts=self.contacts,
            skipped=self.skipped,
            messages=self._all.group("all"),
            people=Shift(**self._people),
            by_class=tuple(tally.group(name) for name, tally in sorted(self._classes.items())),
            by_campaign=tuple(tally.group(name) for name, tally in campaigns),
            by_rule=self._effects(),
            current_delays=_delays(self._waits[0]),
            other_delays=_delays(self._waits[1]),
            agreement=Agreement(same=self._agreed, of=total, share=self._agreed / total if total else None),
            examples=self._shown_examples(),
            notes=tuple(_notes(self._policies)),
            took_s=round(took_s, 3),
        )

    def _add(self, asked: PastRequest, before: Fate, after: Fate, change: str) -> None:
        self._all.add(before, after, change)
        _of(self._classes, before.message_class or "none").add(before, after, change)
        campaign = asked.request.campaign or NO_CAMPAIGN
        if campaign not in self._campaigns and len(self._campaigns) >= MOST_CAMPAIGNS:
            campaign = THE_REST
        _of(self._campaigns, campaign).add(before, after, change)
        for fate, rules, waits in zip((before, after), self._rules, self._waits, strict=True):
            if fate.rule:
                rules[fate.rule, "denied" if fate.last == "deny" else "deferred"] += 1
            if fate.sent_at_us is not None and fate.first == "defer":
                waits[(fate.sent_at_us - asked.at_us) // WAITED_FINENESS_US] += 1
        self._agreed += before.first == asked.verdict

    def _exemplify(
        self, contact_id: ContactId, asked: PastRequest, fates: tuple[Fate, Fate], change: str
    ) -> None:
        kept = self._examples.setdefault(change, [])
        if len(kept) >= MOST_OF_A_KIND:
            return
        kind: ChangeKind = change  # type: ignore[assignment] # any change but `same`
        request = asked.request
        kept.append(
            Example(
                change=kind,
                contact_id=contact_id,
                message_id=request.message_id,
                client=request.client,
                request_id=request.request_id,
                message_class=fates[0].message_class,
                campaign=request.campaign,
                asked_at=to_datetime(asked.at_us),
                current=_ended(fates[0]),
                other=_ended(fates[1]),
            )
        )

    def _shown_examples(self) -> tuple[Example, ...]:
        """Share the places fairly: one of each kind in turn."""
        shown: list[Example] = []
        for place in range(MOST_OF_A_KIND):
            shown += [kept[place] for kept in self._examples.values() if len(kept) > place]
        return tuple(shown[:MOST_EXAMPLES])

    def _effects(self) -> tuple[RuleEffect, ...]:
        """List the rules of both policies in file order, those without hits too."""
        names = dict.fromkeys(rule.reach.id for policy in self._policies for rule in policy.rules)
        named = dict.fromkeys([*names, *(rule for rules in self._rules for rule, _ in rules)])
        hits = [
            {name: RuleHits(denied=rules[name, "denied"], deferred=rules[name, "deferred"]) for name in named}
            for rules in self._rules
        ]
        return tuple(RuleEffect(rule=name, current=hits[0][name], other=hits[1][name]) for name in named)


def change_of(current: Fate, other: Fate) -> str:
    """Say what the other policy changes for one message: more, fewer, later, earlier or same."""
    before_us, after_us = current.sent_at_us, other.sent_at_us
    if before_us == after_us:
        return "same"
    if before_us is None:
        return "more"
    if after_us is None:
        return "fewer"
    return "later" if after_us > before_us else "earlier"


def _count_end(counter: Counter[str], fate: Fate) -> None:
    match fate.last:
        case "allow":
            counter["sent"] += 1
            counter["waited"] += fate.first == "defer"
        case "deny":
            counter["denied"] += 1
        case "defer":
            counter["waiting"] += 1


def _of(tallies: dict[str, _Tally], name: str) -> _Tally:
    return tallies.setdefault(name, _Tally())


def _by_changes(item: tuple[str, _Tally]) -> tuple[int, str]:
    name, tally = item
    return tally.changes["same"] - tally.requests, name


def _ended(fate: Fate) -> Ended:
    sent_us = fate.sent_at_us
    return Ended(
        verdict=fate.last,
        reason=fate.reason,
        rule=fate.rule,
        sent_at=None if sent_us is None else to_datetime(sent_us),
    )


def _delays(waits: Counter[int]) -> Delays:
    total = sum(waits.values())
    if not total:
        return Delays(messages=0)
    in_order = sorted(waits.items())
    return Delays(
        messages=total,
        p50_s=_quantile_s(in_order, total * 0.5),
        p90_s=_quantile_s(in_order, total * 0.9),
        p99_s=_quantile_s(in_order, total * 0.99),
        longest_s=_seconds(in_order[-1][0]),
        steps=_steps(in_order),
    )


def _quantile_s(in_order: Iterable[tuple[int, int]], rank: float) -> int | None:
    seen = 0
    for waited, count in in_order:
        seen += count
        if seen >= rank:
            return _seconds(waited)
    return None


def _steps(in_order: Iterable[tuple[int, int]]) -> tuple[DelayStep, ...]:
    counts = [0] * (len(DELAY_STEPS_US) + 1)
    for waited, count in in_order:
        place = sum(waited * WAITED_FINENESS_US > step_us for step_us in DELAY_STEPS_US)
        counts[place] += count
    ends = (*(step_us // SECOND_US for step_us in DELAY_STEPS_US), None)
    return tuple(DelayStep(up_to_s=end, messages=count) for end, count in zip(ends, counts, strict=True))


def _seconds(waited: int) -> int:
    return waited * WAITED_FINENESS_US // SECOND_US


def _notes(policies: Sequence[Policy]) -> Iterable[str]:
    yield "Sends before the first replayed request do not count; what is allowed counts as accepted at once."
    budgets = sorted({name for policy in policies for name in policy.budgets})
    if budgets:
        yield f"Totals over all people are not replayed: {', '.join(budgets)}."
