"""How the simulated world behaves right now: one validated state, changed by `PATCH /control`."""

from random import Random
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from garbo.simulator.assets.asset import Asset
from garbo.simulator.faults import Fault
from garbo.simulator.graph.limits import Limits
from garbo.simulator.latency import Latency, Millis

Ratio = Annotated[float, Field(ge=0, le=1)]
PerMinute = Annotated[float, Field(ge=0, le=1_000_000)]


class Delays(Asset):
    """Mean delays after acceptance, in milliseconds; each is drawn between half and one and a half of it."""

    sent_ms: Millis = 150
    delivered_ms: Millis = 600
    read_ms: Millis = 5_000
    reply_ms: Millis = 9_000


class Webhooks(Asset):
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
    first_ratio: Ratio = 0
    """How many sends are told of before they are answered."""
    late_ratio: Ratio = 0
    late_ms: Millis = 60_000
    """So many sends are told of so much later."""
    never_ratio: Ratio = 0
    """Of so many sends nothing is ever told."""
    preferences_ratio: Ratio = 1
    """How many changes of preference are told: the field is not subscribed by default."""


class Population(Asset):
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


class Review(Asset):
    """What becomes of templates that are created or edited."""

    after_ms: Millis = 3_000
    verdict: Literal["APPROVED", "REJECTED"] = "APPROVED"
    reason: str = "INVALID_FORMAT"
    """Why, where they are rejected."""
    category: Literal["MARKETING", "UTILITY", "AUTHENTICATION"] | None = None
    """Approved as this, whatever was asked for."""


class ControlState(Asset):
    """Everything that can be turned."""

    latency_ms: Millis = 0
    """How long the Graph API thinks before it answers."""
    latency: dict[str, Latency] = Field(default_factory=dict)
    """The same as a distribution, by number id; `*` is every other number. Beside `latency_ms`."""
    rate_limits: bool = True
    """Whether any limit holds: throughput, and those of `limits`."""
    limits: Limits = Limits()
    window: bool = True
    """Free-form outside the 24 h window fails with 131047."""
    undeliverable_ratio: Ratio = 0.005
    """How many accepted messages fail later with 131026."""
    cooldown_ratio: Ratio = 0
    """How many promos accepted for the population fail later with 131049."""
    delays: Delays = Delays()
    webhooks: Webhooks = Webhooks()
    population: Population = Population()
    review: Review = Review()
    broken_links: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Whoever sends a link that holds one of these is told later that it cannot be fetched (131053)."""
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
        self._latency = Random(f"{seed}/latency")  # noqa: S311 - as above
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

    @property
    def slow(self) -> bool:
        """Tell whether the API thinks at all."""
        return bool(self.state.latency_ms or self.state.latency)

    def latency_s(self, number_id: str) -> float:
        """Draw how long the API thinks about a call for this number."""
        state = self.state
        seconds = state.latency_ms / 1000
        if state.latency and (latency := state.latency.get(number_id) or state.latency.get("*")):
            seconds += latency.drawn_s(self._latency)
        return seconds

    def die(self) -> float:
        """Throw the die of what goes wrong, in [0, 1)."""
        return self._random.random()

    def take_fault(self, number_id: str | None, on: str = "messages") -> Fault | None:
        """Draw what goes wrong with this request, and use it up."""
        for index, fault in enumerate(self.state.faults):
            if fault.on != on or fault.number_id not in (None, number_id):
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
