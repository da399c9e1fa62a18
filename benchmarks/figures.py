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

    def line(self) -> str:
        """Write the figure as one line of the table."""
        aim = (
            "" if self.aim is None else f"aim {self.aim:.2f} {'met' if self.ratio >= self.aim else 'MISSED'}"
        )
        return (
            f"{self.name:<12} {median(self.measured):>9,.0f} {self.unit:<13} "
            f"{median(self.reference):>9,.0f} {self.reference_name:<44} {self.ratio:>6.2f}  {aim}"
        )


HEAD = f"{'':<12} {'figure':>9} {'':<13} {'bare':>9} {'reference':<44} {'ratio':>6}"
