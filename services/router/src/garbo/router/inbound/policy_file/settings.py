"""What a policy file says beside its classes and rules: zones, leases, counting, arbitration."""

from typing import Annotated, Final, Literal, Self, TypeAlias, TypeVar, get_args

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from garbo.router.domain.keywords import normalised
from garbo.router.domain.policy import ClassRule
from garbo.router.domain.policy_settings import Counting, Zones
from garbo.router.inbound.policy_file.fields import Mend, Model, Span, UpTo, Words, Zone, wrong, wrong_at
from garbo.router.inbound.policy_file.selectors import Categories, Purposes

REFUND_CODES: Final = (131026, 131047, 131049, 131050, 131051)
"""The platform's way of saying that the person never got it (Meta, error codes, read 2026-11)."""
ORDER: Final = ["priority desc", "expires_at asc", "requested_at asc", "request_id asc"]
"""The one order there is; a file may write it down."""
_REFUNDS: Final = ("rejected", "failed_definitive")
MOST_CODES: Final = 100
MOST_WORDS: Final = 100
MOST_WORD: Final = 60
Day: TypeAlias = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: Final[tuple[Day, ...]] = get_args(Day)
T = TypeVar("T")
Source: TypeAlias = Literal["contact", "country"]


def _different(listed: list[T]) -> list[T]:
    if len(set(listed)) != len(listed):
        raise wrong("")
    return listed


def _the_order(listed: list[str]) -> list[str]:
    if listed != ORDER:
        raise wrong("")
    return listed


def _are_words(words: frozenset[str]) -> frozenset[str]:
    if len(words) > MOST_WORDS or any(len(word) > MOST_WORD or not normalised(word) for word in words):
        raise wrong(f"must be at most {MOST_WORDS} words of letters, {MOST_WORD} characters each")
    return words


class When(Model):
    """What a request must be; what it does not say may be anything."""

    purpose: Purposes = frozenset()
    category: Categories = frozenset()


class ClassModel(Model):
    """A class, and the requests that are of it."""

    id: Literal["auth", "care", "utility", "promo"]
    when: When = When()

    def to_class(self) -> ClassRule:
        """Give the class as the policy asks it."""
        return ClassRule(
            message_class=self.id,
            purposes=self.when.purpose or None,
            categories=self.when.category or None,
        )


class Timezone(Model):
    """Where the person's wall clock comes from."""

    sources: Annotated[
        list[Source],
        Field(min_length=1),
        AfterValidator(_different),
        Mend("must be a list of contact, country: the first that knows is taken"),
    ] = Field(default=["contact", "country"], alias="from")
    """The first that knows the person's zone."""
    default: Zone = "UTC"
    """Where nobody knows: an IANA name."""
    multi: Literal["strictest", "first"] = "strictest"
    """Of several zones: allowed in all, or in the first."""

    def to_zones(self) -> Zones:
        """Give it as the policy asks it."""
        return Zones(tuple(self.sources), self.default, strictest=self.multi == "strictest")


class Lease(Model):
    """How long a grant may wait for its send."""

    ttl: Annotated[Span, UpTo("1d")] = Span("15m")
    """How long a grant waits for its send."""
    clock_skew: Annotated[Span, UpTo("1m", zero=True)] = Span("2s")
    """It ends this much before the next rule closes."""
    send_budget: Annotated[Span, UpTo("1h")] = Span("45s")
    """The sender's whole HTTP timeout."""

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if self.clock_skew.us >= self.ttl.us:
            raise wrong_at("clock_skew", mend="is as long as ttl: no send would ever be in time")
        return self


class CountingModel(Model):
    """When a send counts, at which instant, and what gives its slot back."""

    consume: Literal["reserved", "accepted", "delivered"] = "reserved"
    """From when on a send counts."""
    instant: Literal["accepted", "reserved"] = "accepted"
    """Where it stands in a window."""
    refund: Annotated[
        frozenset[str],
        Words(of=_REFUNDS, mend=f"must be of {', '.join(_REFUNDS)}; an unknown outcome is never refunded"),
    ] = frozenset(_REFUNDS)
    """What gives a slot back; an unknown outcome never."""
    refund_codes: Annotated[
        list[int],
        Field(max_length=MOST_CODES),
        AfterValidator(_different),
        Mend(f"must be a list of different platform error codes, {MOST_CODES} at most"),
    ] = Field(default=list(REFUND_CODES))
    """Platform errors after which it never reached the person."""
    parts: Literal["each", "once"] = "each"
    """What a request of several messages counts as."""

    def to_counting(self) -> Counting:
        """Give it as the policy asks it."""
        return Counting(
            consume=self.consume,
            instant=self.instant,
            refund_rejected="rejected" in self.refund,
            refund_failed="failed_definitive" in self.refund,
            parts=self.parts,
        )


class Arbitration(Model):
    """Who goes first of several for one person."""

    order: Annotated[
        list[str],
        AfterValidator(_the_order),
        Mend(f"is always [{', '.join(ORDER)}]: write that, or leave it out"),
        WithJsonSchema({"const": ORDER}),
    ] = ORDER
    """There is this one."""
    same_campaign: Literal["keep_all", "keep_newest"] = "keep_all"
    """Of several that wait: the newest, or all."""
    gather: Annotated[Span, UpTo("1m", zero=True)] = Span("0s")
    """A promo waits this long for better ones; 0s is off, 1m the most."""


class Deferral(Model):
    """When those who waited for the same instant are decided again."""

    spread: Annotated[Span, UpTo("1d", zero=True)] = Span("0s")
    """Wakes are spread over this long."""


class OptOut(Model):
    """What else is a STOP, and how far one reaches."""

    platform_stop: Literal["brand", "number"] = "brand"
    """What the platform's own switch blocks."""
    stop_words: Annotated[frozenset[str], Words(), AfterValidator(_are_words)] = frozenset()
    """Further words that are always a STOP."""
