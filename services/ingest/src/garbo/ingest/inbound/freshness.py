"""When each of our numbers was last heard of: a number that falls silent may have lost its webhooks."""

from collections.abc import Iterable
from time import time
from typing import Final

from prometheus_client import Gauge

from garbo.common.business import Business

WEBHOOK_AT: Final = Gauge(
    "garbo_ingest_number_webhook_timestamp_seconds",
    "When a webhook about a number of the business file was last kept; at first, when the process started.",
    ["number"],
)


class Freshness:
    """Notes it for the numbers of the business file, and for no other."""

    def __init__(self, business: Business) -> None:
        self._numbers: frozenset[str] = frozenset()
        self.take(business)

    def take(self, business: Business) -> None:
        """Go by another business file from now on."""
        numbers = frozenset(number.id for number in business.numbers)
        for added in numbers - self._numbers:
            WEBHOOK_AT.labels(added).set(time())
        for gone in self._numbers - numbers:
            WEBHOOK_AT.remove(gone)
        self._numbers = numbers

    def heard_of(self, numbers: Iterable[str]) -> None:
        """Note that webhooks about these were kept now."""
        for number in self._numbers.intersection(numbers):
            WEBHOOK_AT.labels(number).set(time())
