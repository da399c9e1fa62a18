"""What ingest counts. Labels are closed sets: nothing a stranger writes becomes one."""

from functools import cache
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

WEBHOOKS: Final = Counter("garbo_ingest_webhooks", "Webhook bodies by how they ended.", ("result",))
PARTS: Final = Counter("garbo_ingest_parts", "Parts of webhooks by what they became.", ("kind",))
PARTS_AGAIN: Final = Counter(
    "garbo_ingest_parts_again", "Parts of webhooks that were read again, by what they became.", ("kind",)
)
SIGNING_KEY: Final = Counter(
    "garbo_ingest_signature_key",
    "Webhooks by the place in the list of the app secret that signed.",
    ("place",),
)
EVENT_AGE_S: Final = Histogram(
    "garbo_ingest_event_age_seconds",
    "From the platform's instant of a message or status until we received it.",
    buckets=(1, 2, 5, 10, 30, 60, 300, 3600, 86_400, 8 * 86_400),
)
SUBMISSIONS: Final = Counter(
    "garbo_ingest_submissions", "Submissions of clients by path and answer.", ("path", "status")
)
IN_FLIGHT: Final = Gauge("garbo_ingest_requests_in_flight", "Requests in hand.")

WEBHOOK_KEPT: Final = WEBHOOKS.labels("kept")


@cache
def parts_of(kind: str) -> Counter:
    """Give the counter of one kind of part: looking a label up costs more than counting."""
    return PARTS.labels(kind)


@cache
def signed_by(place: int) -> Counter:
    """Give the counter of one app secret, by its place in the list."""
    return SIGNING_KEY.labels(str(place))
