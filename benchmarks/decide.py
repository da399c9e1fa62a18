"""The decision alone: no database, no Kafka, one process. `python -m benchmarks.decide`"""

from collections.abc import Callable
from statistics import median
from time import process_time
from uuid import UUID

from garbo.common.events.ids import MessageId
from garbo.router.domain.decide import decide, decide_and_count
from garbo.router.domain.instants import DAY_US, HOUR_US
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import Request
from garbo.router.domain.state import Claims, Consent, RecipientState, Send
from garbo.router.domain.values import replace
from garbo.router.inbound.policy_file.load import read_policy
from services.router.tests.support.build_domain import FREE, a_request, at

ROUNDS, CALLS = 7, 2_000
NOW_US = at("2026-06-05T10:00:00Z")
POLICY = b"""
policy: bench
version: 1
timezone: { from: [contact, country], default: Europe/Rome, multi: strictest }
classes:
  - { id: auth,    when: { category: authentication } }
  - { id: promo,   when: { category: marketing } }
  - { id: promo,   when: { purpose: promo } }
  - { id: care,    when: { purpose: care } }
  - { id: utility, when: { purpose: utility, category: [utility, none] } }
  - { id: promo }
rules:
  - { id: erased,     type: block, state: erased, hard: true }
  - { id: user-stop,  type: block, state: stopped, applies_to: { class: promo }, hard: true }
  - { id: opt-in,     type: consent, purpose: marketing, max_age: 24mo, applies_to: { class: promo } }
  - { id: wa-window,  type: window, open: 24h, applies_to: { form: free }, on_hit: { fallback: template } }
  - { id: us-promo,   type: block, state: always, applies_to: { class: promo, number_region: US } }
  - { id: night,      type: quiet, from: "21:00", to: "09:00", days: all, applies_to: { class: promo } }
  - { id: sunday,     type: quiet, from: "00:00", to: "24:00", days: [sun], applies_to: { class: promo } }
  - { id: care-open,  type: hold, state: case_open, cool_down: 24h, max: 7d, applies_to: { class: promo } }
  - { id: promo-day,  type: cap, limit: 1, window: { calendar: day }, per: [recipient, brand],
      applies_to: { class: promo }, counts: { class: promo } }
  - { id: promo-20h,  type: cap, limit: 1, window: { rolling: 20h }, per: [recipient, brand],
      applies_to: { class: promo }, counts: { class: promo } }
  - { id: promo-week, type: cap, limit: 3, window: { rolling: 7d },
      applies_to: { class: promo }, counts: { class: promo }, keep_for: { slots: 1, min_priority: 80 } }
  - { id: total-gap,  type: gap, min: 2h, applies_to: { class: promo }, except: { tag: restock },
      counts: { class: [promo, utility] } }
"""


def history(newest_us: int) -> RecipientState:
    """A person of Rome with 40 sends: promo, utility and care in turn, one every two days."""
    sends = tuple(
        Send(
            MessageId(UUID(int=n)),
            newest_us - (40 - n) * 2 * DAY_US,
            ("care", "utility", "promo")[n % 3],
            ("acme", "bolt")[n % 2],
            campaign=f"c-{n}",
        )
        for n in range(1, 41)
    )
    consents = {"acme/*/marketing": Consent(given_at_us=NOW_US - 90 * DAY_US)}
    return RecipientState(
        claims={"acme": Claims(zone="Europe/Rome")},
        consents=consents,
        sends=sends,
        inbound_at_us={"1001": NOW_US - HOUR_US},
    )


def spent_us(work: Callable[[], object]) -> float:
    """Give the median time of one call, in microseconds."""
    rounds: list[float] = []
    for _ in range(ROUNDS):
        begin = process_time()
        for _ in range(CALLS):
            work()
        rounds.append((process_time() - begin) / CALLS * 1e6)
    return median(rounds)


def main() -> None:
    """Print the time of each kind of decision."""
    policy: Policy = read_policy(POLICY)
    promo, care = a_request(campaign="june", requested_at_us=NOW_US), a_request(purpose="care", body=FREE)
    free, full = history(NOW_US - 3 * DAY_US), history(NOW_US - HOUR_US)
    kinds: dict[str, tuple[RecipientState, Request, int]] = {
        "promo allowed": (free, promo, NOW_US),
        "promo deferred by caps": (full, replace(promo, brand="acme"), NOW_US),
        "promo deferred by the night": (free, promo, NOW_US + 12 * HOUR_US),
        "care allowed": (free, care, NOW_US),
    }
    print(f"{len(policy.rules)} rules, {len(free.sends)} sends of history; microseconds a decision")
    for name, (state, request, now_us) in kinds.items():
        verdict = decide(policy, state, request, now_us).verdict
        took = spent_us(lambda s=state, r=request, n=now_us: decide(policy, s, r, n))  # type: ignore[misc] # one each
        print(f"{took:6.1f}  {name} ({verdict})")
    took = spent_us(lambda: decide_and_count(policy, free, promo, NOW_US))
    print(f"{took:6.1f}  promo allowed and counted")


if __name__ == "__main__":
    main()
