"""A send continues the trace of its grant; the status that settles it is linked to it."""

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from garbo.sender.outbound.telemetry import Instruments

GRANT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
STATUS = "00-11111111111111111111111111111111-2222222222222222-01"


def test_the_send_continues_its_grant_and_the_status_links_to_the_send() -> None:
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    telemetry = Instruments(provider.get_tracer("test"))

    send = telemetry.start_send(lane="care", trace=GRANT)
    send.end(outcome="unknown", attempt_id="a.1")
    telemetry.attempt_settled(trace=STATUS, send=send.traceparent, outcome="accepted")

    sent, settled = spans.get_finished_spans()
    assert sent.kind is SpanKind.CLIENT
    assert f"{sent.context.trace_id:032x}" == GRANT.split("-")[1]
    assert f"{settled.context.trace_id:032x}" == STATUS.split("-")[1]
    assert [link.context.span_id for link in settled.links] == [sent.context.span_id]


def test_a_status_without_a_known_send_has_no_link() -> None:
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    Instruments(provider.get_tracer("test")).attempt_settled(trace=None, send=None, outcome="accepted")
    [settled] = spans.get_finished_spans()
    assert list(settled.links) == []
