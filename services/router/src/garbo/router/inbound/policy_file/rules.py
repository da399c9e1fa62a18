"""The rules that ask no memory of sends: how each kind is written, and which rule of a policy it is."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from garbo.router.domain.instants import DAY_US, HOUR_US, MINUTE_US
from garbo.router.domain.rules.block import BlockRule
from garbo.router.domain.rules.case_hold import HoldRule
from garbo.router.domain.rules.consent import ConsentRule
from garbo.router.domain.rules.quiet_hours import QuietRule
from garbo.router.domain.rules.service_window import WindowRule
from garbo.router.domain.selectors import Reach
from garbo.router.domain.zones import RECIPIENT_ZONE
from garbo.router.inbound.policy_file.fields import (
    LongSpan,
    Maybe,
    Mend,
    RuleZone,
    Span,
    UpTo,
    Words,
    wrong_at,
)
from garbo.router.inbound.policy_file.rule import WEEK_US, Denies, FallsBack, RuleModel, TimedRuleModel

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS_MEND: Final = f"must be all, or of {', '.join(_DAYS)}"
_Months = Annotated[str, Field(pattern="^[1-9][0-9]{0,2}mo$")]
_WallTime = Annotated[
    str,
    Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"),
    Mend('must be a time from 00:00 to 24:00, such as "09:00"'),
]


class BlockModel(RuleModel):
    """Refuses while the person is in a state."""

    type: Literal["block"]
    state: Literal["erased", "stopped", "always"]
    on_hit: Denies = "deny"

    def to_rule(self, reach: Reach, _zone: str) -> BlockRule:
        """Give the rule."""
        return BlockRule(reach, state=self.state)

    @property
    def guards_promo(self) -> Literal["stop"] | None:
        """It keeps promo from who said STOP."""
        return "stop" if self.state == "stopped" else None


class ConsentModel(RuleModel):
    """Refuses without a consent that is recorded, strong and young enough."""

    type: Literal["consent"]
    purpose: Literal["marketing", "utility", "care", "profiling"]
    level: Literal["single", "double"] = "single"
    """double: confirmed by the person."""
    max_age: Maybe[
        Annotated[LongSpan | _Months, Mend("must be a whole number and s, m, h, d, w or mo, such as 24mo")]
    ] = None
    """How old it may be: a whole number and s m h d w or mo, such as 24mo."""
    on_hit: Denies = "deny"

    def to_rule(self, reach: Reach, _zone: str) -> ConsentRule:
        """Give the rule."""
        age = self.max_age
        return ConsentRule(
            reach,
            purpose=self.purpose,
            level=self.level,
            max_age_us=age.us if isinstance(age, Span) else None,
            max_age_months=None if age is None or isinstance(age, Span) else int(age.removesuffix("mo")),
        )

    @property
    def guards_promo(self) -> Literal["consent"]:
        """It keeps promo from who never said yes."""
        return "consent"


class WindowModel(RuleModel):
    """Refuses free-form outside the customer service window."""

    type: Literal["window"]
    open: Annotated[Span, UpTo("1d")] = Span("24h")
    """How long it is open after the person's last message; 24h at most."""
    on_hit: FallsBack = "deny"
    """deny; or the fallback template goes instead."""

    def to_rule(self, reach: Reach, _zone: str) -> WindowRule:
        """Give the rule."""
        return WindowRule(reach, open_us=self.open.us)


class QuietModel(TimedRuleModel):
    """Refuses in [from, to) by the wall clock, on the local dates it starts on."""

    type: Literal["quiet"]
    start: _WallTime = Field(alias="from")
    """Such as 21:00."""
    end: _WallTime = Field(alias="to")
    """Such as 09:00 of the next day, or 24:00 for the day's end."""
    days: Annotated[frozenset[str], Words(of=("all", *_DAYS), mend=_DAYS_MEND)] = frozenset({"all"})
    """Local dates it starts on."""
    zone: RuleZone = RECIPIENT_ZONE
    """An IANA name such as Europe/Rome, or recipient."""

    @model_validator(mode="after")
    def _can_be_meant(self) -> Self:
        if self.start == "24:00":
            raise wrong_at("from", mend='must be before 24:00: write "00:00" of the next day')
        if self.start == self.end:
            raise wrong_at("to", mend='equals from: write from: "00:00", to: "24:00" for a whole day')
        if "all" in self.days and len(self.days) > 1:
            raise wrong_at("days", mend=_DAYS_MEND)
        return self

    def to_rule(self, reach: Reach, _zone: str) -> QuietRule:
        """Give the rule."""
        return QuietRule(
            reach, from_us=_us_of(self.start), to_us=self._to_us, days=self._dates, zone=self.zone
        )

    @property
    def closed_us(self) -> Sequence[tuple[int, int]]:
        """Give the spans it is quiet, and those of the week before, which may reach into this one."""
        from_us, night_us = _us_of(self.start), DAY_US if self._to_us < _us_of(self.start) else 0
        dates_us = [date * DAY_US - back_us for date in self._dates for back_us in (0, WEEK_US)]
        return [(date_us + from_us, date_us + self._to_us + night_us) for date_us in dates_us]

    @property
    def _to_us(self) -> int:
        return _us_of(self.end) or DAY_US

    @property
    def _dates(self) -> frozenset[int]:
        """0 is Monday."""
        return frozenset(n for n, day in enumerate(_DAYS) if day in self.days or "all" in self.days)


class HoldModel(TimedRuleModel):
    """Refuses while a case of the person is open."""

    type: Literal["hold"]
    state: Literal["case_open"] = "case_open"
    cool_down: Annotated[Span, UpTo("3660d", zero=True)] = Span("24h")
    """And this long after it is closed."""
    max: LongSpan = Span("7d")
    """A case nobody closes lets go after this long."""

    def to_rule(self, reach: Reach, _zone: str) -> HoldRule:
        """Give the rule."""
        return HoldRule(reach, cool_down_us=self.cool_down.us, max_us=self.max.us)


def _us_of(wall_time: str) -> int:
    return int(wall_time[:2]) * HOUR_US + int(wall_time[3:]) * MINUTE_US
