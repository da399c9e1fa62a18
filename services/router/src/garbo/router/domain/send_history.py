"""Which sends stay in the row: those a rule can count, and a few more."""

from collections import Counter
from typing import Final

from garbo.router.domain.instants import DAY_US
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.values import replace

SURPLUS: Final = 16
"""Sends kept beyond what is counted: for slots given back, and for rules of a later policy."""
_EVERY: Final = 32


def pruned(policy: Policy, state: RecipientState, now_us: int) -> RecipientState:
    """Forget sends that no rule can count any more, but for a bounded surplus.

    Kept are, of each rule's counted sends within its window, the newest `limit` + 16 (for each brand or
    campaign where it counts them apart), and the newest 16 of each class and brand within the history. So
    the policy bounds the row: brands x (4 x 16 + the sum of limit + 16 over the rules), and up to 32 that
    wait to be pruned. Beside them stand all promos that are on their way: a STOP finds them here.
    """
    sends = state.sends
    if not sends or (len(sends) % _EVERY and sends[0].at_us > now_us - policy.history_us):
        return state
    caps = [(cap, cap.remembers_since_us(now_us)) for cap in policy.caps]
    seen: Counter[tuple[object, ...]] = Counter()
    kept: list[Send] = []
    oldest_first = sorted(sends, key=_by_instant)
    for send in reversed(oldest_first):  # those of one instant keep their order, and so does `by`
        if _may_be_taken_back(send, now_us):
            kept.append(send)
            continue
        wanted = _is_new(seen, (send.message_class, send.brand), SURPLUS)
        wanted = wanted and send.at_us > now_us - policy.history_us
        for cap, first_us in caps:
            if send.at_us >= first_us and cap.counts.matches(send):
                wanted = _is_new(seen, cap.scope_of(send), cap.limit + SURPLUS) or wanted
        if wanted:
            kept.append(send)
    return state if len(kept) == len(sends) else replace(state, sends=tuple(reversed(kept)))


def _may_be_taken_back(send: Send, now_us: int) -> bool:
    """Say whether a promo's grant may still be reserved: no lease is longer than a day."""
    return send.open and send.message_class == "promo" and send.at_us > now_us - DAY_US


def _is_new(seen: Counter[tuple[object, ...]], scope: tuple[object, ...], most: int) -> bool:
    """Count one more of a scope, and say whether it is still among the newest."""
    seen[scope] += 1
    return seen[scope] <= most


def _by_instant(send: Send) -> int:
    return send.at_us
