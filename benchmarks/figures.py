"""A figure beside its reference."""

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, and the bare reference of the same minute. Rates per second, several rounds."""

    name: str
    unit: str
    measured: list[float]
    reference_name: str
    reference: list[float]
    aim: float | None = None

    @property
    def ratio(self) -> float:
        """Median of the rounds' ratios: rounds alternate, so noise hits both sides alike."""
        return median(m / r for m, r in zip(self.measured, self.reference, strict=True))

    @property
    def missed(self) -> bool:
        """Whether it is below its aim."""
        return self.aim is not None and self.ratio < self.aim

    def line(self) -> str:
        """Write the figure as one line of the table."""
        aim = (
            "" if self.aim is None else f"aim {self.aim:.2f} {'met' if self.ratio >= self.aim else 'MISSED'}"
        )
        return (
            f"{self.name:<26} {median(self.measured):>9,.0f} {self.unit:<13} "
            f"{median(self.reference):>9,.0f} {self.reference_name:<44} {self.ratio:>6.2f}  {aim}"
        )


@dataclass(frozen=True, slots=True)
class Delay:
    """A delay under load, in milliseconds, beside the same without it."""

    name: str
    p99_ms: float
    reference_name: str
    reference_p99_ms: float
    aim_ms: float
    load_ratio: float | None = None
    """How fast the load went meanwhile, of its speed alone."""
    load_floor: float = 0.0

    @property
    def missed(self) -> bool:
        """Whether it is longer than its aim, or the load stood still for it."""
        starved = self.load_ratio is not None and self.load_ratio < self.load_floor
        return starved or self.p99_ms > self.aim_ms

    def line(self) -> str:
        """Write it as one line of the table."""
        aim = f"aim {self.aim_ms:.0f} ms {'MISSED' if self.missed else 'met'}"
        if self.load_ratio is not None:
            aim += f", load at {self.load_ratio:.2f} (floor {self.load_floor:.2f})"
        return (
            f"{self.name:<26} {self.p99_ms:>9,.0f} {'ms, p99':<13} "
            f"{self.reference_p99_ms:>9,.0f} {self.reference_name:<44} "
            f"{self.p99_ms / self.reference_p99_ms:>6.2f}  {aim}"
        )


HEAD = f"{'':<26} {'figure':>9} {'':<13} {'bare':>9} {'reference':<44} {'ratio':>6}"
