"""What Prometheus can see of the router's own work."""

from typing import Final

from prometheus_client import Counter, Gauge

from garbo.router.ports.telemetry import Backlog

WOKEN: Final = Counter("garbo_router_woken", "Waiting requests that were decided again", ["verdict"])
RELEASED: Final = Counter(
    "garbo_router_released", "Grants nobody had claimed that were taken back", ["reason"]
)
PUBLISHED: Final = Counter("garbo_router_outbox_published", "Records of the outbox that were published")
STUMBLED: Final = Counter(
    "garbo_router_work_stumbled", "Rounds of own work that are to be tried again", ["work", "why"]
)
WAITING: Final = Gauge("garbo_router_waiting_requests", "Requests that wait, in all routers together")
OLDEST_DUE: Final = Gauge("garbo_router_oldest_due_seconds", "How late the oldest request that is due is")
OUTBOX: Final = Gauge("garbo_router_outbox_records", "Records that wait to be published")
OLDEST_OUTBOX: Final = Gauge("garbo_router_outbox_oldest_seconds", "Age of the oldest of them")
UNREAPED: Final = Gauge(
    "garbo_router_unreaped_seconds", "How long ago the oldest lease ended that may not have been looked at"
)
SILENT: Final = Gauge(
    "garbo_router_silent_grants",
    "Claimed grants of the day before yesterday without any result",
)


class PrometheusJobMeter:
    """A `WorkMeter`."""

    def woke(self, *, verdict: str) -> None:
        """Count a waiting request that was decided again."""
        WOKEN.labels(verdict).inc()

    def released(self, reason: str) -> None:
        """Count a grant that was taken back."""
        RELEASED.labels(reason).inc()

    def published(self, count: int) -> None:
        """Count records of the outbox that were published."""
        PUBLISHED.inc(count)

    def show(self, backlog: Backlog) -> None:
        """Show what waits."""
        WAITING.set(backlog.waiting)
        OLDEST_DUE.set(backlog.oldest_due_s)
        OUTBOX.set(backlog.outbox)
        OLDEST_OUTBOX.set(backlog.oldest_outbox_s)
        UNREAPED.set(backlog.unreaped_s)

    def silent(self, count: int) -> None:
        """Show how many claimed grants nothing was heard of."""
        SILENT.set(count)

    def stumbled(self, work: str, why: str) -> None:
        """Count a round of work that is to be tried again."""
        STUMBLED.labels(work, why).inc()
