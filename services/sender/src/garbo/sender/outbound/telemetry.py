"""Traces and figures of the sender."""

from collections.abc import Mapping
from typing import Final

from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer
from prometheus_client import Counter, Gauge, Histogram

from garbo.common.events.decisions import Lane
from garbo.common.runtime.telemetry import context_from

ATTEMPTS: Final = Counter(
    "garbo_sender_attempts", "HTTP calls to the platform, by outcome", ["lane", "outcome", "code"]
)
SEND_SECONDS: Final = Histogram(
    "garbo_sender_send_seconds",
    "From the first byte to the answer",
    ["lane"],
    buckets=(0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 2, 5, 10, 30, 45),
)
LEASE_SECONDS: Final = Histogram(
    "garbo_sender_lease_seconds",
    "From asking for a lease of a number's rate to having it",
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10),
)
UNKNOWN: Final = Gauge("garbo_sender_attempts_unknown", "Attempts that no answer and no status has settled")


MEDIA_WORK: Final = Counter(
    "garbo_sender_media_work", "Files fetched and uploaded to be sent, by how that ended", ["kind", "outcome"]
)


def media_worked(kind: str, outcome: str) -> None:
    """Count a fetch or an upload."""
    MEDIA_WORK.labels(kind, outcome).inc()


class OtelSendSpan:
    """`SendSpan` on OpenTelemetry."""

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str | None:
        """W3C form; None when nothing records."""
        at = self._span.get_span_context()
        return f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}" if at.is_valid else None

    def end(self, *, outcome: str, attempt_id: str) -> None:
        """Close it; an outcome that is not a success is an error for trace tools."""
        self._span.set_attribute("garbo.outcome", outcome)
        self._span.set_attribute("garbo.attempt_id", attempt_id)
        if outcome in ("failed", "unknown"):
            self._span.set_status(Status(StatusCode.ERROR, outcome))
        self._span.end()


class Instruments:
    """`Telemetry` on OpenTelemetry and Prometheus."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start_send(self, *, lane: Lane, trace: str | None) -> OtelSendSpan:
        """Open a client span."""
        attributes = {"garbo.lane": lane, "http.request.method": "POST"}
        span = self._tracer.start_span(
            "POST whatsapp messages",
            context=context_from(trace),
            kind=SpanKind.CLIENT,
            attributes=attributes,
        )
        return OtelSendSpan(span)

    @property
    def is_tracing(self) -> bool:
        """Whether a span made now would be recorded."""
        return trace.get_current_span().is_recording()

    def status_received(self, *, trace: str | None, send: str | None, status: str) -> None:
        """Open and close a span in the status' own trace, linked to the send's."""
        self._linked("status of send", trace, send, {"garbo.status": status})

    def attempt_settled(self, *, trace: str | None, send: str | None, outcome: str) -> None:
        """Open and close a span in the status' own trace, linked to the send's."""
        self._linked("settle send", trace, send, {"garbo.outcome": outcome})

    def _linked(self, name: str, where: str | None, send: str | None, attributes: Mapping[str, str]) -> None:
        link = _context_of(send)
        span = self._tracer.start_span(
            name,
            context=context_from(where),
            kind=SpanKind.CONSUMER,
            links=[link] if link else [],
            attributes=dict(attributes),
        )
        span.end()

    def attempt_finished(self, *, lane: Lane, outcome: str, code: int | None, seconds: float) -> None:
        """Count; `code` is empty where the platform gave none."""
        ATTEMPTS.labels(lane, outcome, "" if code is None else str(code)).inc()
        SEND_SECONDS.labels(lane).observe(seconds)

    def lease_waited(self, *, seconds: float) -> None:
        """Observe."""
        LEASE_SECONDS.observe(seconds)

    def unknown_attempts(self, count: int) -> None:
        """Set."""
        UNKNOWN.set(count)


def _context_of(traceparent: str | None) -> Link | None:
    at = trace.get_current_span(context_from(traceparent)).get_span_context()
    return Link(at) if traceparent and at.is_valid else None
