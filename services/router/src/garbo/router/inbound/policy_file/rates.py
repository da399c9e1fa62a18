"""The rules that count, caps, gaps and budgets: how each is written, and which rule of a policy it is."""

from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, Discriminator, Tag, model_validator

from garbo.router.domain.rules.budget import BudgetRule
from garbo.router.domain.rules.cap import CapRule, GapRule, KeepFor, RateRule
from garbo.router.domain.rules.counting_windows import Calendar, Lifetime, Rolling, Window
from garbo.router.domain.selectors import Reach
from garbo.router.domain.state import REMEMBERED_SENDS
from garbo.router.domain.zones import RECIPIENT_ZONE
from garbo.router.inbound.policy_file.fields import (
    LongSpan,
    Maybe,
    Mend,
    Model,
    RuleZone,
    Whole,
    Words,
    wrong,
    wrong_at,
)
from garbo.router.inbound.policy_file.rule import BY_SHAPE, TimedRuleModel
from garbo.router.inbound.policy_file.selectors import Counts

MOST_BUDGET: Final = 10**12
_PER_MEND: Final = "must be [recipient], with brand, campaign or both beside it"
_WINDOW_MEND: Final = "must be { rolling: 7d }, { calendar: day, zone: recipient } or lifetime"
_Unit = Literal["day", "week", "month"]


class RollingModel(Model):
    """The last so much, at every instant."""

    rolling: LongSpan


class CalendarModel(Model):
    """From the first instant of the local day, week or month to the first of the next."""

    calendar: _Unit
    zone: RuleZone = RECIPIENT_ZONE
    """An IANA name such as Europe/Rome, or recipient."""


class PolicyCalendar(Model):
    """The same in the policy's own zone."""

    calendar: _Unit


def _window_shape(value: object) -> str:
    if isinstance(value, dict):
        return "<rolling>" if "rolling" in value else "<calendar>"
    return "<word>"


Windows: TypeAlias = Annotated[
    Annotated[RollingModel, Tag("<rolling>")]
    | Annotated[CalendarModel, Tag("<calendar>")]
    | Annotated[Literal["lifetime"], Mend(_WINDOW_MEND), Tag("<word>")],
    Discriminator(_window_shape),
]


def _of_recipients(per: frozenset[str]) -> frozenset[str]:
    if "recipient" not in per:
        raise wrong(_PER_MEND)
    return per


class RateModel(TimedRuleModel):
    """What caps and gaps share."""

    per: Annotated[
        frozenset[str],
        Words(of=("brand", "campaign", "recipient"), mend=_PER_MEND),
        AfterValidator(_of_recipients),
    ] = frozenset({"recipient"})
    """Whose sends fill it: the person's; of each brand, or campaign, for itself."""
    counts: Counts = Counts()

    def rate(
        self, kind: type[RateRule], reach: Reach, *, limit: int, window: Window, keep: KeepFor | None = None
    ) -> RateRule:
        """Give the rule."""
        return kind(
            reach,
            limit=limit,
            window=window,
            counts=self.counts.to_selector(),
            per_brand="brand" in self.per,
            per_campaign="campaign" in self.per,
            keep_for=keep,
        )


class KeepForModel(Model):
    """The last slots of a cap are kept for what matters."""

    slots: Annotated[int, Whole(1, REMEMBERED_SENDS)]
    min_priority: Annotated[int, Whole(1, 100)]


class CapModel(RateModel):
    """So many in a window."""

    type: Literal["cap"]
    limit: Annotated[int, Whole(0, REMEMBERED_SENDS, zero=" (never)")]
    """0 is never."""
    window: Windows
    keep_for: Maybe[KeepForModel] = None

    @model_validator(mode="after")
    def _can_be_meant(self) -> Self:
        if self.window == "lifetime" and "campaign" not in self.per:
            mend = "must name campaign for a lifetime: other sends are forgotten after history"
            raise wrong_at("per", mend=mend)
        if self.keep_for is not None and self.keep_for.slots >= self.limit:
            kept = f"keeps {self.keep_for.slots} of {self.limit}"
            mend = f"{kept}: nothing would be left for the others; keep fewer"
            raise wrong_at("keep_for", "slots", mend=mend)
        return self

    def to_rule(self, reach: Reach, _zone: str) -> RateRule:
        """Give the rule."""
        keep = KeepFor(self.keep_for.slots, self.keep_for.min_priority) if self.keep_for else None
        return self.rate(CapRule, reach, limit=self.limit, window=self._window(), keep=keep)

    def _window(self) -> Window:
        match self.window:
            case RollingModel(rolling=span):
                return Rolling(span.us, f"rolling {span}")
            case CalendarModel(calendar=unit, zone=zone):
                return Calendar(unit, zone=zone)
            case "lifetime":
                return Lifetime()


class GapModel(RateModel):
    """Not so soon after: a cap of one over a short rolling window."""

    type: Literal["gap"]
    min: LongSpan
    """Between two."""

    def to_rule(self, reach: Reach, _zone: str) -> RateRule:
        """Give the rule."""
        window = Rolling(self.min.us, f"min {self.min}")
        return self.rate(GapRule, reach, limit=1, window=window)


class BudgetModel(TimedRuleModel):
    """So many to all people together."""

    type: Literal["budget"]
    limit: Annotated[int, Whole(0, MOST_BUDGET, zero=" (never)")]
    """0 is never."""
    per: Literal["campaign", "brand", "portfolio"]
    window: Annotated[
        Annotated[PolicyCalendar, Tag("<mapping>")]
        | Annotated[Literal["lifetime"], Mend("must be { calendar: day } or lifetime"), Tag("<word>")],
        BY_SHAPE,
    ] = "lifetime"

    def to_rule(self, reach: Reach, zone: str) -> BudgetRule:
        """Give the rule; its window is of the policy's zone."""
        window = self.window
        period = Lifetime() if window == "lifetime" else Calendar(window.calendar, zone=zone)
        return BudgetRule(reach, limit=self.limit, per=self.per, window=period)
