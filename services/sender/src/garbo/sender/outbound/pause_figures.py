"""What is shown of pauses."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from prometheus_client import Gauge

from garbo.sender.domain.pauses import Pause

PAUSED: Final = Gauge("garbo_sender_paused", "Pauses in force", ["scope", "reason"])
PARKED: Final = Gauge("garbo_sender_parked", "Messages that wait outside memory", ["why"])


class PauseGauges:
    """`PauseFigures` on Prometheus. What is no more is shown as 0: an absent series looks like a gap."""

    def paused(self, pauses: Sequence[Pause]) -> None:
        """Set; whatever reason an operator gave, it is `operator`."""
        _set(
            PAUSED,
            Counter((one.scope, "operator" if one.source == "operator" else one.reason) for one in pauses),
        )

    def parked(self, counts: Mapping[str, int]) -> None:
        """Set."""
        _set(PARKED, {(why,): count for why, count in counts.items()})


def _set(gauge: Gauge, counts: Mapping[tuple[str, ...], int]) -> None:
    known = {tuple(sample.labels.values()) for metric in gauge.collect() for sample in metric.samples}
    for labels in known - counts.keys():
        gauge.labels(*labels).set(0)
    for labels, count in counts.items():
        gauge.labels(*labels).set(count)
