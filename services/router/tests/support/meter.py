"""A `Meter` that can be looked at."""


class CountingMeter:
    """A `Meter` one can look at."""

    def __init__(self) -> None:
        self.decisions: list[tuple[str, str, str]] = []
        self.repeats_count = 0
        self.resurrected_count = 0
        self.left_out_count = 0
        self.care: list[tuple[str, bool, bool]] = []

    def decided(self, *, message_class: str | None, verdict: str, reason: str) -> None:
        """Keep a new decision."""
        self.decisions.append((message_class or "none", verdict, reason))

    def repeated(self) -> None:
        """Count a request that had been decided before."""
        self.repeats_count += 1

    def said_before_erasure(self, count: int) -> None:
        """Count events that are left out."""
        self.left_out_count += count

    def resurrected(self) -> None:
        """Count a message that arrived after its slot had been given back."""
        self.resurrected_count += 1

    def asked_as_care(self, *, client: str, demoted: bool, unprompted: bool) -> None:
        """Keep a request called care."""
        self.care.append((client, demoted, unprompted))
