"""One span per batch that links to each record's trace, and the way back into one record's own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

from opentelemetry import context, trace

from garbo.common.runtime.deliver.lane import Delivered
from garbo.common.runtime.telemetry import context_from, tracer

MAX_LINKS: Final = 128


@contextmanager
def batch_span(group: str, batch: Sequence[Delivered[Any]]) -> Iterator[None]:
    """Hold a consumer span around the handling of a batch, linked to the records' traces (the first 128)."""
    traces = dict.fromkeys(islice((d.trace for d in batch if d.trace), MAX_LINKS))
    links = [trace.Link(span.get_span_context()) for span in map(_span_of, traces) if span is not None]
    with tracer().start_as_current_span(
        f"process {group}",
        kind=trace.SpanKind.CONSUMER,
        links=links,
        attributes={
            "messaging.system": "kafka",
            "messaging.operation.type": "process",
            "messaging.consumer.group.name": group,
            "messaging.batch.message_count": len(batch),
        },
        record_exception=False,  # its text could quote a record ...
        set_status_on_exception=False,  # ... and would be the status, too
    ):
        yield


@contextmanager
def resumed(of: str | None) -> Iterator[None]:
    """Go on with one record's own trace: spans and records made inside belong to it."""
    if of is None:
        yield
        return
    token = context.attach(context_from(of))
    try:
        yield
    finally:
        context.detach(token)


def _span_of(traceparent: str) -> trace.Span | None:
    span = trace.get_current_span(context_from(traceparent))
    return span if span.get_span_context().is_valid else None
