"""The windows in which caps count sends and budgets count grants."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, TypeAlias

from garbo.router.domain.calendar import period_us
from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.instants import DAY_US, NEVER_US
from garbo.router.domain.zones import RECIPIENT_ZONE, wall_clocks

EVER_US: Final = -NEVER_US
LONGEST_PERIOD_US: Final = 33 * DAY_US
"""A month of 31 days, in any zone, with a date to spare."""


@dataclass(frozen=True, slots=True)
class Rolling:
    """The half-open `(now - span, now]`."""

    reads_clock: ClassVar[bool] = False
    zone: ClassVar[None] = None
    span_us: int
    text: str

    def first_inside_us(self, context: EvaluationContext, at_us: int) -> int:  # noqa: ARG002 - as all are asked
        """Give the first instant that is inside the window of an instant."""
        return at_us - self.span_us + 1

    def leaves_at_us(self, context: EvaluationContext, sent_us: int) -> int | None:  # noqa: ARG002
        """Give the first instant whose window no longer holds what was sent at an instant."""
        return sent_us + self.span_us

    def counts_since_us(self, now_us: int) -> int:
        """Give an instant before which nothing counts for anybody, now or later."""
        return now_us - self.span_us


@dataclass(frozen=True, slots=True)
class Calendar:
    """From the first instant of the local day, week or month to the first of the next."""

    reads_clock: ClassVar[bool] = True
    unit: Literal["day", "week", "month"]
    zone: str = RECIPIENT_ZONE

    @property
    def text(self) -> str:
        """As a decision shows it."""
        return f"calendar {self.unit}"

    def first_inside_us(self, context: EvaluationContext, at_us: int) -> int:
        """Give the first instant that is inside the window of an instant; of several zones the widest."""
        return min(start_us for start_us, _ in self._periods(context, at_us))

    def leaves_at_us(self, context: EvaluationContext, sent_us: int) -> int | None:
        """Give the first instant whose window no longer holds what was sent at an instant, in any zone."""
        return max(next_us for _, next_us in self._periods(context, sent_us))

    def counts_since_us(self, now_us: int) -> int:
        """Give an instant before which nothing counts for anybody, now or later."""
        return now_us - LONGEST_PERIOD_US

    def _periods(self, context: EvaluationContext, at_us: int) -> Iterator[tuple[int, int]]:
        for zone in wall_clocks(self.zone, context.subject.zones):
            yield period_us(self.unit, zone, at_us, week_starts_on=context.policy.week_starts_on)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """For ever."""

    reads_clock: ClassVar[bool] = False
    zone: ClassVar[None] = None
    text: str = "lifetime"

    def first_inside_us(self, context: EvaluationContext, at_us: int) -> int:  # noqa: ARG002
        """Everything ever sent is inside."""
        return EVER_US

    def leaves_at_us(self, context: EvaluationContext, sent_us: int) -> int | None:  # noqa: ARG002
        """Nothing leaves."""
        return None

    def counts_since_us(self, now_us: int) -> int:  # noqa: ARG002
        """Everything counts."""
        return 0


Window: TypeAlias = Rolling | Calendar | Lifetime
