"""How much the platform lets through, beside the throughput of a number, and what is counted for it.

Source: Meta, "Messaging limits", "Pair rate limits", "Per-user marketing template limits", "Errors" (2026).
"""

from collections import OrderedDict, deque
from hashlib import sha256
from typing import Annotated, Final, Literal

from pydantic import Field

from garbo.simulator.assets.asset import Asset

Ratio = Annotated[float, Field(ge=0, le=1)]
SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS
HOUR_NS: Final = 3_600 * SECOND_NS
PAIR_EVERY_NS: Final = 6 * SECOND_NS
PAIR_BURST: Final = 45
PAIR_SLACK_NS: Final = SECOND_NS // 4
"""What is sent in time may come this much closer together."""
FLOW_PER_HOUR: Final = 10
_PRUNE_ABOVE: Final = 200_000
CANADA_AND_CARIBBEAN: Final = frozenset(
    """
    204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 387 403 416 418 428 431 437 438 450 460
    468 474 506 514 519 537 548 568 579 581 584 587 604 613 639 647 672 683 705 709 742 753 778 780 782
    807 819 825 867 873 879 902 905 942
    242 246 264 268 284 345 441 473 649 658 664 721 758 767 784 809 829 849 868 869 876
    """.split()  # noqa: SIM905 - a line each would be longer than all the rest
)
"""Area codes behind +1 that are not of the United States."""


class Limits(Asset):
    """Which limits hold. `rate_limits: false` switches all of them off."""

    pair: Literal["off", "sliding", "paid_back"] = "sliding"
    """131056. sliding: 45 at once, and one each 6 s. paid_back: who sent more than one in 6 s waits until all
    of them are paid back, as Meta's page reads."""
    marketing_per_person: Annotated[int, Field(ge=1)] | None = None
    """131049: marketing templates a person gets in 24 h outside an open window; None: as many as are sent."""
    marketing_to_us: bool = False
    """Whether numbers of the United States get marketing templates; else 131049."""
    experiment_ratio: Ratio = 0
    """130472: of the people, always the same ones, for marketing outside an open window."""
    flows: dict[str, Literal["THROTTLED", "BLOCKED"]] = Field(default_factory=dict)
    """By flow id: 132069 after 10 messages in an hour; 132068 at once."""
    restricted_countries: tuple[Annotated[str, Field(pattern=r"^\+[0-9]{1,4}$")], ...] = ()
    """130497 for numbers that begin so."""
    retry_after_ratio: Ratio = 0
    """How many of the refusals for a limit say `Retry-After`."""
    app_usage: Annotated[int, Field(ge=0, le=1000)] = 0
    """Percent of the app's call limit that is used (`X-App-Usage`); from 100 on every call gets code 4."""
    account_usage: Annotated[int, Field(ge=0, le=1000)] = 0
    """The same of each account, `X-Business-Use-Case-Usage` and code 80007."""
    regain_minutes: Annotated[int, Field(ge=0, le=1440)] = 5
    """After how long it says that calls are taken again."""
    account_calls_per_hour: Annotated[int, Field(ge=1)] = 5_000
    """Of reading and setting; above it 80007."""


class Pairs:
    """Who was written to how often by which number."""

    def __init__(self) -> None:
        self._paid: dict[tuple[str, str], tuple[int, int]] = {}

    def closed(self, pair: tuple[str, str], now_ns: int, *, paid_back: bool) -> bool:
        """Tell whether the next message would be too soon."""
        known = self._paid.get(pair)
        if known is None:
            return False
        paid_ns, began_ns = known
        ahead = paid_ns - now_ns - PAIR_SLACK_NS
        if paid_back and now_ns - began_ns >= PAIR_EVERY_NS:
            return ahead > 0
        return ahead > (PAIR_BURST - 1) * PAIR_EVERY_NS

    def note(self, pair: tuple[str, str], now_ns: int) -> None:
        """Count one message that was accepted."""
        paid_ns, began_ns = self._paid.get(pair, (0, 0))
        began_ns = now_ns if paid_ns <= now_ns + PAIR_SLACK_NS else began_ns
        self._paid[pair] = (max(paid_ns, now_ns) + PAIR_EVERY_NS, began_ns)
        if len(self._paid) > _PRUNE_ABOVE:
            self._paid = {one: state for one, state in self._paid.items() if state[0] > now_ns}


class PeopleOfDay:
    """Unique people whom the business wrote to first, in the last 24 h."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, int] = OrderedDict()

    def reach(self, person: str, now_ns: int, most: int) -> bool:
        """Count a person, and say yes; or say no when `most` others were reached already."""
        while self._last and next(iter(self._last.values())) <= now_ns - DAY_NS:
            self._last.popitem(last=False)
        if person not in self._last and len(self._last) >= most:
            return False
        self._last[person] = now_ns
        self._last.move_to_end(person)
        return True


class Windows:
    """How often something happened in a span, by key."""

    def __init__(self, span_ns: int) -> None:
        self._span_ns = span_ns
        self._times: dict[str, deque[int]] = {}

    def count(self, key: str, now_ns: int) -> int:
        """Count what is still inside the span."""
        times = self._times.get(key)
        while times and times[0] <= now_ns - self._span_ns:
            times.popleft()
        return len(times) if times else 0

    def note(self, key: str, now_ns: int) -> None:
        """Note that it happened."""
        self._times.setdefault(key, deque()).append(now_ns)


def of_the_us(recipient: str) -> bool:
    """Tell whether a phone is of the United States."""
    return recipient.startswith("+1") and recipient[2:5] not in CANADA_AND_CARIBBEAN


def in_experiment(seed: str, person: str, ratio: float) -> bool:
    """Tell whether a person belongs to the share that Meta tries things with."""
    return int.from_bytes(sha256(f"{seed}/experiment/{person}".encode()).digest()[:4], "big") < ratio * 2**32
