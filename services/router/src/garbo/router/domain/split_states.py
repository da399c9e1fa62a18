"""One person who is two again: what each had before two were joined on a client's word, and what came since.

Noes stay with both: what was stopped, suppressed or asked about is not loosened by a mistake and its mend.
"""

from collections.abc import Mapping
from typing import TypeVar

from garbo.router.domain.merge_states import merge_states
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace

V = TypeVar("V")


def split_states(
    now: RecipientState, first: RecipientState, second: RecipientState
) -> tuple[RecipientState, RecipientState]:
    """Part one state into two, who were `first` and `second` before; what came since stays with the first.

    Sends since count for both: nobody knows at which of the two they were meant.
    """
    joined = merge_states(first, second)
    theirs = {send.message_id for send in second.sends} - {send.message_id for send in first.sends}
    mine = {send.message_id for send in first.sends} - {send.message_id for send in second.sends}
    kept = replace(
        now,
        claims=_own(now.claims, first.claims, joined.claims),
        cases=_own(now.cases, first.cases, joined.cases),
        consents=_own(now.consents, first.consents, joined.consents),
        inbound_at_us=_own(now.inbound_at_us, first.inbound_at_us, joined.inbound_at_us),
        inbound=tuple(item for item in now.inbound if item in first.inbound or item not in second.inbound),
        sends=tuple(send for send in now.sends if send.message_id not in theirs),
    )
    parted = replace(
        now,
        claims=second.claims,
        cases=second.cases,
        consents=second.consents,
        inbound_at_us=second.inbound_at_us,
        inbound=second.inbound,
        sends=tuple(send for send in now.sends if send.message_id not in mine),
    )
    return kept, parted


def _own(now: Mapping[str, V], before: Mapping[str, V], joined: Mapping[str, V]) -> dict[str, V]:
    """Give what a mapping says of the first: as it was where nothing came since, and what came since."""
    changed = {key: value for key, value in now.items() if joined.get(key) != value}
    return {**{key: value for key, value in before.items() if key in now}, **changed}
