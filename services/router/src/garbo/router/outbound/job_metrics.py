"""What Prometheus can see of the background jobs."""

from typing import Final

from prometheus_client import Counter, Gauge

from garbo.router.ports.telemetry import Backlog

RETRIED: Final = Counter(
    "garbo_router_deferred_retried", "Deferred requests that were decided again", ["verdict"]
)
RELEASED: Final = Counter(
    "garbo_router_released", "Grants nobody had claimed that were taken back", ["reason"]
)
PUBLISHED: Final = Counter("garbo_router_outbox_published", "Records of the outbox that were published")
JOB_FAILED: Final = Counter(
    "garbo_router_job_failed", "Rounds of background jobs that are to be tried again", ["job", "why"]
)
DEFERRED: Final = Gauge("garbo_router_deferred_requests", "Deferred requests, of all routers together")
OLDEST_DUE: Final = Gauge("garbo_router_oldest_due_seconds", "How late the oldest request that is due is")
OUTBOX: Final = Gauge("garbo_router_outbox_records", "Records that wait to be published")
OLDEST_OUTBOX: Final = Gauge("garbo_router_outbox_oldest_seconds", "Age of the oldest of them")
UNEXPIRED: Final = Gauge(
    "garbo_router_unexpired_seconds", "How long ago the oldest lease ended that may not have been looked at"
)
SILENT: Final = Gauge(
    "garbo_router_silent_grants",
    "Claimed grants of the day before yesterday without any result",
)


class PrometheusJobMeter:
    """A `JobMeter`."""

    def retried(self, *, verdict: str) -> None:
        """Count a deferred request that was decided again."""
        RETRIED.labels(verdict).inc()

    def released(self, reason: str) -> None:
        """Count a grant that was taken back."""
        RELEASED.labels(reason).inc()

    def published(self, count: int) -> None:
        """Count records of the outbox that were published."""
        PUBLISHED.inc(count)

    def show(self, backlog: Backlog) -> None:
        """Show what waits."""
        DEFERRED.set(backlog.deferred)
        OLDEST_DUE.set(backlog.oldest_due_s)
        OUTBOX.set(backlog.outbox)
        OLDEST_OUTBOX.set(backlog.oldest_outbox_s)
        UNEXPIRED.set(backlog.unexpired_s)

    def silent(self, count: int) -> None:
        """Show how many claimed grants nothing was heard of."""
        SILENT.set(count)

    def failed(self, job: str, why: str) -> None:
        """Count a round of work that is to be tried again."""
        JOB_FAILED.labels(job, why).inc()
