"""How the simulated world behaves right now: one validated state, changed by `PATCH /control`."""

from random import Random
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from garbo.simulator.graph.errors import known_code

Ratio = Annotated[float, Field(ge=0, le=1)]
Millis = Annotated[int, Field(ge=0, le=3_600_000)]
PerMinute = Annotated[float, Field(ge=0, le=1_000_000)]


class _State(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Delays(_State):
    """Mean delays after acceptance, in milliseconds; each is drawn between half and one and a half of it."""

    sent_ms: Millis = 150
    delivered_ms: Millis = 600
    read_ms: Millis = 5_000
    reply_ms: Millis = 9_000


class Webhooks(_State):
    """How Meta delivers what it has to tell."""

    on: bool = True
    """Off: sends have no consequences at all (for bare load runs)."""
    doubled_ratio: Ratio = 0.03
    out_of_order_ratio: Ratio = 0.05
    batch_ratio: Ratio = 0.3
    batch_max: Annotated[int, Field(ge=1, le=1000)] = 100
    retry_ms: Millis = 500
    """The first retry; each further one waits twice as long, up to `retry_max_ms`."""
    retry_max_ms: Millis = 30_000
    preferences_ratio: Ratio = 1
    """How many changes of preference are told: the field is not subscribed by default."""


class Population(_State):
    """What customers do. Rates are per minute for all of them together."""

    on: bool = True
    questions_per_minute: PerMinute = 12
    stops_per_minute: PerMinute = 0.5
    starts_per_minute: PerMinute = 0.3
    read_ratio: Ratio = 0.8
    reply_to_promo_ratio: Ratio = 0.12
    reply_to_utility_ratio: Ratio = 0.05
    reply_to_care_ratio: Ratio = 0.25
    reply_to_buttons_ratio: Ratio = 0.7
    """Of free-form messages that offer buttons."""
    stop_ratio: Ratio = 0.02
    """Of promos: how often the answer is STOP."""
    unclear_stop_ratio: Ratio = 0
    """Of promos: how often the answer is a word that may mean stop, such as BASTA."""
    preference_stops_per_minute: PerMinute = 0
    """WhatsApp's own switch against promos of a number."""
    preference_resumes_per_minute: PerMinute = 0
    number_changes_per_minute: PerMinute = 0


class Fault(_State):
    """Something that goes wrong: for the `next` so many requests, or for a ratio of them."""

    kind: Literal["error", "hang", "drop", "accept_then_drop", "accept_then_error", "failed_status"]
    code: int = 131000
    """The error's code, where the kind has one."""
    next: Annotated[int, Field(ge=1)] | None = None
    ratio: Annotated[float, Field(gt=0, le=1)] | None = None
    number_id: str | None = None
    """Only requests of this number."""
    hang_ms: Millis = 60_000

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.next is None) == (self.ratio is None):
            raise ValueError("give exactly one of next and ratio")
        if not known_code(self.code):
            raise ValueError("code is not in the table of error codes")
        return self


class ControlState(_State):
    """Everything that can be turned."""

    latency_ms: Millis = 0
    """How long the Graph API thinks before it answers."""
    rate_limits: bool = True
    window: bool = True
    """Free-form outside the 24 h window fails with 131047."""
    undeliverable_ratio: Ratio = 0.005
    """How many accepted messages fail later with 131026."""
    cooldown_ratio: Ratio = 0
    """How many promos accepted for the population fail later with 131049."""
    delays: Delays = Delays()
    webhooks: Webhooks = Webhooks()
    population: Population = Population()
    faults: tuple[Fault, ...] = ()


LIVELY: Final = ControlState(
    cooldown_ratio=0.01,
    webhooks=Webhooks(preferences_ratio=0.8),
    population=Population(
        unclear_stop_ratio=0.01,
        preference_stops_per_minute=0.2,
        preference_resumes_per_minute=0.1,
        number_changes_per_minute=0.1,
    ),
)
"""Everything that customers and Meta do now and then."""


def livelier(state: ControlState) -> ControlState:
    """Let everything happen now and then, but for what `state` was told itself."""
    told = state.model_dump(exclude_unset=True)
    return ControlState.model_validate(_merged(LIVELY.model_dump(), told))


class Control:
    """Holds the present state and what is left of each fault."""

    def __init__(self, state: ControlState | None = None, *, seed: str = "garbo") -> None:
        self._random = Random(f"{seed}/faults")  # noqa: S311 - a seeded world, not a secret
        self.state = state or ControlState()
        self._left = [fault.next for fault in self.state.faults]

    def change(self, patch: dict[str, Any]) -> ControlState:
        """Merge a patch (objects by key, lists replaced). Raises ValidationError; then nothing changed."""
        before = self.state.model_dump()
        if "faults" not in patch:
            before["faults"] = [fault.model_dump() for fault in self.present().faults]
        self.state = ControlState.model_validate(_merged(before, patch))
        self._left = [fault.next for fault in self.state.faults]
        return self.state

    def present(self) -> ControlState:
        """Show the state with what is left of each fault; used-up faults are gone."""
        pairs = zip(self.state.faults, self._left, strict=True)
        faults = tuple(fault.model_copy(update={"next": left}) for fault, left in pairs if left != 0)
        return self.state.model_copy(update={"faults": faults})

    def take_fault(self, number_id: str) -> Fault | None:
        """Draw what goes wrong with this request, and use it up."""
        for index, fault in enumerate(self.state.faults):
            if fault.number_id not in (None, number_id):
                continue
            left = self._left[index]
            if left is None and self._random.random() < (fault.ratio or 0):
                return fault
            if left:
                self._left[index] = left - 1
                return fault
        return None


def _merged(before: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    merged = dict(before)
    for key, value in patch.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
