"""How long the Graph API thinks before it answers."""

import math
from random import Random
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from garbo.simulator.assets.asset import Asset

Millis = Annotated[int, Field(ge=0, le=3_600_000)]


class Latency(Asset):
    """One distribution, in milliseconds, and a tail that hangs."""

    kind: Literal["constant", "uniform", "lognormal"] = "constant"
    ms: Millis = 0
    """The constant; the least of a uniform one; the median of a lognormal one."""
    to_ms: Millis = 0
    """The most of a uniform one."""
    sigma: Annotated[float, Field(gt=0, le=3)] = 0.5
    """How wide a lognormal one is: the 95th of 100 takes exp(1.64 sigma) times the median."""
    tail_ratio: Annotated[float, Field(ge=0, le=1)] = 0
    tail_ms: Millis = 30_000
    """How long the tail's calls take."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.kind == "uniform" and self.to_ms < self.ms:
            raise ValueError("to_ms must not be less than ms")
        return self

    def drawn_s(self, random: Random) -> float:
        """Draw one, in seconds."""
        if self.tail_ratio and random.random() < self.tail_ratio:
            return self.tail_ms / 1000
        match self.kind:
            case "uniform":
                return random.uniform(self.ms, self.to_ms) / 1000
            case "lognormal":
                return random.lognormvariate(math.log(max(1, self.ms)), self.sigma) / 1000
            case _:
                return self.ms / 1000
