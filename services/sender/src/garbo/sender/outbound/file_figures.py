"""What is shown of customers' files."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

TRIES: Final = Counter(
    "garbo_sender_file_tries", "Tries to fetch a customer's file, by what came of it", ["outcome", "reason"]
)
BYTES: Final = Counter("garbo_sender_file_bytes", "Bytes of customers' files that were stored")
SECONDS: Final = Histogram(
    "garbo_sender_file_seconds",
    "Seconds of a try to fetch a customer's file",
    ["outcome"],
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 1200),
)
WAITING: Final = Gauge("garbo_sender_files", "Customers' files to be fetched, or to be deleted", ["state"])


class FileInstruments:
    """`FileFigures` on Prometheus."""

    def tried(self, outcome: str, reason: str, *, seconds: float, size_bytes: int) -> None:
        """Count."""
        TRIES.labels(outcome, reason).inc()
        BYTES.inc(size_bytes)
        SECONDS.labels(outcome).observe(seconds)

    def waiting(self, counts: Mapping[str, int]) -> None:
        """Set."""
        for state, count in counts.items():
            WAITING.labels(state).set(count)
