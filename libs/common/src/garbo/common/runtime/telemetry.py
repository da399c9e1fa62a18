"""Logs, traces and metrics of a process: configured once, at its start."""

import asyncio
import logging
import sys
from functools import cache
from typing import Any, Final

import orjson
import structlog
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from garbo.common.errors import StartRefused
from garbo.common.runtime.settings import ServiceSettings
from garbo.common.runtime.uncollected import Uncollected

TRACER: Final = "garbo"
FLUSH_MS: Final = 5000


class Telemetry:
    """Logs and traces of a process, as its first part: the last spans leave when all else has stopped."""

    def __init__(self, collected: TracerProvider | None) -> None:
        self._collected = collected

    async def start(self) -> None:
        """Nothing: spans and lines are made from the moment it is wired."""

    async def stop(self) -> None:
        """Send what is left, for 5 s at most."""
        if self._collected:
            await asyncio.to_thread(self._collected.force_flush, FLUSH_MS)
            await asyncio.to_thread(self._collected.shutdown)


def observe(settings: ServiceSettings) -> Telemetry:
    """Set up this process's logs and traces as its settings say."""
    configure(service=settings.service, log_format=settings.log_format, log_level=settings.log_level)
    return Telemetry(trace_to(settings.otlp_endpoint, service=settings.service))


def configure(*, service: str, log_format: str = "json", log_level: str = "info") -> None:
    """Send every log line of this process, libraries' too, in one structured format to stderr."""
    as_text = log_format == "console"
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
    ]
    text = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    # Our own lines go straight out as bytes: through the standard library each costs 40 to 100 us.
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.format_exc_info,
            text if as_text else structlog.processors.JSONRenderer(_to_json),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr)
        if as_text
        else structlog.BytesLoggerFactory(sys.stderr.buffer),
        wrapper_class=structlog.make_filtering_bound_logger(log_level),
        cache_logger_on_first_use=True,
    )
    _gather_libraries(shared, text if as_text else structlog.processors.JSONRenderer(), log_level)
    structlog.contextvars.bind_contextvars(service=service)


def _gather_libraries(
    shared: list[structlog.typing.Processor], last: structlog.typing.Processor, log_level: str
) -> None:
    handler = logging.StreamHandler(sys.stderr)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            last,
        ],
    )
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=log_level.upper(), force=True)
    for noisy in ("aiokafka", "faststream", "httpx", "httpcore", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _to_json(event: structlog.typing.EventDict, **_: Any) -> bytes:  # noqa: ANN401 - structlog's own
    return orjson.dumps(event, default=str)


def trace_to(endpoint: str | None, *, service: str) -> TracerProvider | None:
    """Make spans, and send them to a collector when there is one: the provider the caller shuts down.

    Without a collector spans have ids, so that logs and records still name their trace, and no content.
    """
    if endpoint is None:
        trace.set_tracer_provider(Uncollected())
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
            OTLPSpanExporter,
        )
    except ImportError:
        raise StartRefused(
            "GARBO_OTLP_ENDPOINT needs the OTLP exporter: pip install 'garbo-common[otlp]'."
        ) from None
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - starts a thread

    provider = TracerProvider(resource=Resource.create({"service.name": service}), sampler=ALWAYS_ON)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider


def tracer() -> trace.Tracer:
    """Give the tracer of this process, as its provider is now."""
    return _tracer_of(trace.get_tracer_provider())


@cache
def _tracer_of(provider: trace.TracerProvider) -> trace.Tracer:
    """Remember the tracer: the SDK makes a new one each time, at a tenth of a request's cost."""
    return provider.get_tracer(TRACER)


def context_from(traceparent: str | None) -> Context:
    """Read a `traceparent` into a context; an absent or bad one gives an empty context."""
    return propagate.extract({"traceparent": traceparent} if traceparent else {})


def current_traceparent() -> str | None:
    """Write the current span as a `traceparent` (W3C Trace Context, version 00); None outside any span."""
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return None
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"


def _add_trace(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:  # noqa: ANN401
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = f"{span.trace_id:032x}"
    return event
