"""One person's past requests decided again under a policy: what would have become of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Final, Literal

from garbo.router.domain.decide import decide_and_count
from garbo.router.domain.decision import Decision
from garbo.router.domain.instants import SECOND_US
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import UNLIMITED, Request
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.values import replace

NOT_AT_ONCE_US: Final = SECOND_US
"""Whatever a rule answers, what waits again waits this long, as it does in earnest."""


@dataclass(frozen=True, slots=True)
class PastRequest:
    """One request as it was asked, with what was known of the person at its first decision."""

    at_us: int
    """When it was decided first."""
    request: Request
    given: RecipientState
    """Consents, stops, windows, cases, zone: all but the sends."""
    verdict: Literal["allow", "defer", "deny"]
    """What it was answered first, under the policy of that time."""


@dataclass(frozen=True, slots=True)
class ReplayOutcome:
    """What became of one request under one policy."""

    first: Literal["allow", "defer", "deny"]
    """Its first answer."""
    last: Literal["allow", "defer", "deny"]
    """Its answer at the end; defer: it still waits when the replay ends."""
    reason: str
    message_class: str | None
    rule: str | None = None
    """The rule that denied it, or that made it wait first."""
    sent_at_us: int | None = None
    """An allowed message counts as accepted at the instant of its decision."""


def replay(policy: Policy, past: Sequence[PastRequest], *, until_us: int) -> list[ReplayOutcome]:
    """Decide all requests of one person again, in the order of time, with the sends that follow from it.

    A deferred request is decided again when it is due, with what is known of the person by then. Nothing
    older than the first request counts. Gives one outcome for each request, in the same order.
    """
    return _Replay(policy, past, until_us).run()


class _Replay:
    """The clock of one person: what happens next, what counts, what is known."""

    def __init__(self, policy: Policy, past: Sequence[PastRequest], until_us: int) -> None:
        self._policy, self._past, self._until_us = policy, past, until_us
        self._queue = [(p.at_us, p.request.arbitration_key, n) for n, p in enumerate(past)]
        heapify(self._queue)
        self._outcomes: list[ReplayOutcome | None] = [None] * len(past)
        self._given = RecipientState()
        self._sends: tuple[Send, ...] = ()
        self._lasting_sends: dict[str, tuple[Send, ...]] = {}
        self._waiting: dict[tuple[str, str], int] = {}

    def run(self) -> list[ReplayOutcome]:
        """Let time pass until the end."""
        while self._queue and self._queue[0][0] <= self._until_us:
            at_us, _, place = heappop(self._queue)
            before = self._outcomes[place]
            if before is None or before.last == "defer":  # else another has replaced it while it waited
                self._decide(place, before, at_us)
        return [outcome or _UNASKED for outcome in self._outcomes]

    def _decide(self, place: int, before: ReplayOutcome | None, at_us: int) -> None:
        asked = self._past[place]
        request = replace(
            asked.request, budget_left=UNLIMITED
        )  # a total over all cannot be replayed by person
        if before is None:
            self._given = asked.given
        else:
            request = replace(request, first_decided_at_us=asked.at_us, gathered=True)
        state = replace(
            self._given,
            sends=self._sends,
            campaign_sends=self._lasting_sends.get(request.campaign or "", ()),
        )
        decision, after = decide_and_count(self._policy, state, request, at_us)
        self._outcomes[place] = _outcome(decision, before, at_us)
        if decision.verdict == "allow":
            self._count(after, request, at_us)
        elif decision.verdict == "defer":
            due_us = decision.due_at_us or decision.next_allowed_at_us or 0
            self._wait(place, request, max(due_us, at_us + NOT_AT_ONCE_US))

    def _count(self, after: RecipientState, request: Request, at_us: int) -> None:
        """Count what was allowed as accepted at once."""
        self._sends = tuple(
            replace(send, at_us=at_us, open=False, delivered=True) if send.open else send
            for send in after.sends
        )
        if self._policy.counts_for_life and request.campaign:
            known = self._lasting_sends.get(request.campaign, ())
            fresh = tuple(send for send in self._sends if send.at_us == at_us and send not in known)
            self._lasting_sends[request.campaign] = (*known, *fresh)

    def _wait(self, place: int, request: Request, due_us: int) -> None:
        """Decide it again later; where only the newest of a campaign may wait, the older one ends."""
        heappush(self._queue, (due_us, request.arbitration_key, place))
        if self._policy.same_campaign != "keep_newest" or not request.campaign:
            return
        key = (request.brand, request.campaign)
        other = self._waiting.get(key, place)
        outcome = self._outcomes[other]
        if other == place or outcome is None or outcome.last != "defer":
            self._waiting[key] = place
            return
        older, newer = sorted((place, other), key=self._age)
        self._waiting[key] = newer
        if (ending := self._outcomes[older]) is not None:
            self._outcomes[older] = replace(ending, last="deny", reason="superseded", rule=None)

    def _age(self, place: int) -> tuple[int, int]:
        request = self._past[place].request
        return request.requested_at_us, request.request_id.int


_UNASKED: Final = ReplayOutcome(first="defer", last="defer", reason="after_the_end", message_class=None)


def _outcome(decision: Decision, before: ReplayOutcome | None, at_us: int) -> ReplayOutcome:
    rule = decision.deciding.rule.reach.id if decision.deciding else None
    if before and decision.verdict != "deny":
        rule = before.rule
    return ReplayOutcome(
        first=before.first if before else decision.verdict,
        last=decision.verdict,
        reason=decision.reason,
        message_class=decision.message_class,
        rule=rule,
        sent_at_us=at_us if decision.verdict == "allow" else None,
    )
