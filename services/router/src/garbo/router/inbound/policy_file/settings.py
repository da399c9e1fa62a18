"""What a policy file says beside its classes and rules: zones, leases, counting, arbitration."""

from typing import Final, Literal

from garbo.common.events.zones import zone_names
from garbo.router.domain.instants import DAY_US, HOUR_US, MINUTE_US
from garbo.router.domain.keywords import normalised
from garbo.router.domain.policy_settings import Counting, Zones
from garbo.router.inbound.policy_file.fields import Fields

REFUND_CODES: Final = (131026, 131047, 131049, 131050, 131051)
"""The platform's way of saying that the person never got it (Meta, error codes, read 2026-11)."""
LONG_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SOURCES: Final[tuple[Literal["contact", "country"], ...]] = ("contact", "country")
CONSUME: Final[tuple[Literal["reserved", "accepted", "delivered"], ...]] = (
    "reserved",
    "accepted",
    "delivered",
)
INSTANTS: Final[tuple[Literal["reserved", "accepted"], ...]] = ("accepted", "reserved")
REFUNDS: Final = ("rejected", "failed_definitive")
PARTS: Final[tuple[Literal["each", "once"], ...]] = ("each", "once")
SAME_CAMPAIGN: Final[tuple[Literal["keep_newest", "keep_all"], ...]] = ("keep_all", "keep_newest")
PLATFORM_STOP: Final[tuple[Literal["number", "brand"], ...]] = ("brand", "number")
MULTI: Final = ("strictest", "first")
ORDER: Final = ("priority desc", "expires_at asc", "requested_at asc", "request_id asc")
"""The one order there is; a file may write it down."""
MOST_HISTORY_US: Final = 400 * DAY_US
MOST_GATHER_US: Final = MINUTE_US
MOST_CODES: Final = 100
MOST_WORDS: Final = 100
MOST_WORD: Final = 60


def read_history(top: Fields) -> tuple[int, str]:
    """Read how long sends are remembered."""
    return top.duration_us("history", default="90d", most_us=MOST_HISTORY_US)


def read_zones(top: Fields) -> Zones:
    """Read `timezone`: where the person's wall clock comes from."""
    fields = top.child("timezone")
    sources = _sources(fields)
    default = fields.text("default") if fields.has("default") else "UTC"
    if default not in zone_names():
        raise fields.fault("default", "is not a known time zone: write such as Europe/Rome")
    strictest = fields.word("multi", of=MULTI, default="strictest") == "strictest"
    fields.done()
    return Zones(
        sources=sources,
        default=default,
        strictest=strictest,
    )


def read_week_start(top: Fields) -> int:
    """Read the day a calendar week starts on: 0 is Monday."""
    return LONG_DAYS.index(top.word("week_start", of=LONG_DAYS, default="monday"))


def read_lease(top: Fields) -> tuple[int, int, int]:
    """Read `lease`: the time a grant may wait, what is kept off its end, and the sender's HTTP timeout."""
    fields = top.child("lease")
    ttl_us, _ = fields.duration_us("ttl", default="15m", most_us=DAY_US)
    skew_us, _ = fields.duration_us("clock_skew", default="2s", zero=True, most_us=MINUTE_US)
    budget_us, _ = fields.duration_us("send_budget", default="45s", most_us=HOUR_US)
    fields.done()
    if skew_us >= ttl_us:
        raise fields.fault("clock_skew", "is as long as ttl: no send would ever be in time")
    return ttl_us, skew_us, budget_us


def read_counting(top: Fields) -> tuple[Counting, frozenset[int]]:
    """Read `counting`: when a send counts, at which instant, what gives its slot back."""
    fields = top.child("counting")
    refunds = fields.words("refund") if fields.has("refund") else frozenset(REFUNDS)
    if refunds is None or refunds - set(REFUNDS):
        raise fields.fault("refund", f"must be of {', '.join(REFUNDS)}; an unknown outcome is never refunded")
    counting = Counting(
        consume=fields.word("consume", of=CONSUME, default="reserved"),
        instant=fields.word("instant", of=INSTANTS, default="accepted"),
        refund_rejected="rejected" in refunds,
        refund_failed="failed_definitive" in refunds,
        parts=fields.word("parts", of=PARTS, default="each"),
    )
    codes = _codes(fields)
    fields.done()
    return counting, codes


def read_arbitration(top: Fields) -> tuple[Literal["keep_newest", "keep_all"], int]:
    """Read `arbitration`: whether a campaign's newest replaces those that wait, and the gather window."""
    fields = top.child("arbitration")
    if fields.has("order"):
        order = tuple(node.value for node in fields.listed("order", most=len(ORDER)))
        if order != ORDER:
            raise fields.fault("order", f"is always [{', '.join(ORDER)}]: write that, or leave it out")
    same_campaign = fields.word("same_campaign", of=SAME_CAMPAIGN, default="keep_all")
    gather_us, _ = fields.duration_us("gather", default="0s", zero=True, most_us=MOST_GATHER_US)
    fields.done()
    return same_campaign, gather_us


def read_spread(top: Fields) -> int:
    """Read `deferral`: over how long the wakes of requests that waited are spread."""
    fields = top.child("deferral")
    spread_us, _ = fields.duration_us("spread", default="0s", zero=True, most_us=DAY_US)
    fields.done()
    return spread_us


def read_opt_out(top: Fields) -> tuple[Literal["number", "brand"], tuple[str, ...]]:
    """Read `opt_out`: whether a platform's stop blocks the whole brand, and further words that mean STOP."""
    fields = top.child("opt_out")
    scope = fields.word("platform_stop", of=PLATFORM_STOP, default="brand")
    words = tuple(sorted(fields.words("stop_words") or ()))
    fields.done()
    if len(words) > MOST_WORDS or any(len(word) > MOST_WORD or not normalised(word) for word in words):
        raise fields.fault(
            "stop_words", f"must be at most {MOST_WORDS} words of letters, {MOST_WORD} characters each"
        )
    return scope, words


def _codes(fields: Fields) -> frozenset[int]:
    if not fields.has("refund_codes"):
        return frozenset(REFUND_CODES)
    codes = [node.value for node in fields.listed("refund_codes", most=MOST_CODES)]
    numbers = frozenset(code for code in codes if isinstance(code, int) and not isinstance(code, bool))
    if len(numbers) != len(codes):
        raise fields.fault("refund_codes", "must be a list of different platform error codes")
    return numbers


def _sources(fields: Fields) -> tuple[Literal["contact", "country"], ...]:
    if not fields.has("from"):
        return SOURCES
    listed = [node.value for node in fields.listed("from", most=len(SOURCES))]
    known = tuple(source for item in listed for source in SOURCES if source == item)
    if not known or len(known) != len(listed) or len(set(known)) != len(known):
        raise fields.fault("from", f"must be a list of {', '.join(SOURCES)}: the first that knows is taken")
    return known
