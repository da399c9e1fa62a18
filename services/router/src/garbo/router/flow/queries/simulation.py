"""Use case: what another policy would have made of the past, person by person, in bounded memory."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from garbo.common.events.ids import ContactId
from garbo.router.domain.policy import Policy
from garbo.router.domain.replay import PastRequest, ReplayOutcome, replay
from garbo.router.flow.queries.comparison import (
    Change,
    ChangedRequest,
    Comparison,
    Difference,
    Period,
    Tally,
    UnderPolicy,
    change_of,
)

MOST_EXAMPLES: Final = 100
MOST_OF_A_KIND: Final = 40
MOST_CAMPAIGNS: Final = 10_000
"""Counted by name; the rest together."""
CAMPAIGNS_SHOWN: Final = 200
THE_REST: Final = "(others)"
NO_CAMPAIGN: Final = "(none)"


class Simulation:
    """Replays each person's requests under both policies and adds up what differs. Used once."""

    def __init__(self, *, current: Policy, other: Policy, period: Period) -> None:
        self._current, self._other, self._period = UnderPolicy(current), UnderPolicy(other), period
        self._total = Tally()
        self._classes: dict[str, Tally] = {}
        self._campaigns: dict[str, Tally] = {}
        self._people: Counter[Change] = Counter()
        self._examples: dict[Difference, list[ChangedRequest]] = {}
        self._agreed = self._contacts = 0

    def take(self, contact_id: ContactId, past: Sequence[PastRequest]) -> None:
        """Replay all requests of one person."""
        if not any(map(self._period.holds, past)):
            return
        until_us = self._period.until_us
        current = replay(self._current.policy, past, until_us=until_us)
        other = replay(self._other.policy, past, until_us=until_us)
        changes = {
            self._compare(contact_id, asked, before, after)
            for asked, before, after in zip(past, current, other, strict=True)
            if self._period.holds(asked)
        }
        self._contacts += 1
        self._people.update(changes - {"same"} or {"same"})

    def comparison(self) -> Comparison:
        """Give what was found."""
        campaigns = sorted(self._campaigns.items(), key=_by_changes)[:CAMPAIGNS_SHOWN]
        return Comparison(
            period=self._period,
            current=self._current,
            other=self._other,
            contacts=self._contacts,
            agreed=self._agreed,
            total=self._total,
            people=self._people,
            by_class=dict(sorted(self._classes.items())),
            by_campaign=dict(campaigns),
            rules=self._rules(),
            examples=_in_turn(self._examples),
            notes=tuple(_notes((self._current.policy, self._other.policy))),
        )

    def _compare(
        self, contact_id: ContactId, asked: PastRequest, before: ReplayOutcome, after: ReplayOutcome
    ) -> Change:
        change = change_of(before, after)
        for tally in self._tallies(asked, before):
            tally.add(before, after, change)
        self._current.add(before, at_us=asked.at_us)
        self._other.add(after, at_us=asked.at_us)
        self._agreed += before.first == asked.verdict
        if change != "same":
            self._keep_example(ChangedRequest(change, contact_id, asked, before, after))
        return change

    def _tallies(self, asked: PastRequest, before: ReplayOutcome) -> Iterable[Tally]:
        """Give the groups a request belongs to."""
        campaign = asked.request.campaign or NO_CAMPAIGN
        if campaign not in self._campaigns and len(self._campaigns) >= MOST_CAMPAIGNS:
            campaign = THE_REST
        yield self._total
        yield self._classes.setdefault(before.message_class or "none", Tally())
        yield self._campaigns.setdefault(campaign, Tally())

    def _keep_example(self, example: ChangedRequest) -> None:
        kept = self._examples.setdefault(example.change, [])
        if len(kept) < MOST_OF_A_KIND:
            kept.append(example)

    def _rules(self) -> Sequence[str]:
        sides = (self._current, self._other)
        in_files = [rule.reach.id for side in sides for rule in side.policy.rules]
        had_a_say = [rule for side in sides for rule, _ in side.says]
        return tuple(dict.fromkeys([*in_files, *had_a_say]))


def _in_turn(examples: Mapping[Difference, Sequence[ChangedRequest]]) -> Sequence[ChangedRequest]:
    """Share the places fairly: one of each kind in turn."""
    chosen: list[ChangedRequest] = []
    for place in range(MOST_OF_A_KIND):
        chosen += [kept[place] for kept in examples.values() if len(kept) > place]
    return tuple(chosen[:MOST_EXAMPLES])


def _by_changes(item: tuple[str, Tally]) -> tuple[int, str]:
    name, tally = item
    return tally.changes["same"] - tally.requests, name


def _notes(policies: Sequence[Policy]) -> Iterable[str]:
    yield "Sends before the first replayed request do not count; what is allowed counts as accepted at once."
    budgets = sorted({name for policy in policies for name in policy.budgets})
    if budgets:
        yield f"Totals over all people are not replayed: {', '.join(budgets)}."
