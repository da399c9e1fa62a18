from opentelemetry.sdk.trace import TracerProvider

from garbo.common.runtime.deliver import Delivered, resumed
from garbo.common.runtime.outgoing import outgoing
from libs.common.tests.support.delivery import Noted, note, noted_topic

TOPIC = noted_topic("garbo.unit.v1")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_event_travels_as_a_cloud_event_in_binary_mode() -> None:
    record = outgoing(TOPIC, Noted(number=7), key="k", source="unit")
    assert (record.topic, record.key, record.value) == (TOPIC.name, b"k", b'{"number":7}')
    assert dict(record.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"7",
        "ce_source": b"/garbo/unit",
        "ce_type": TOPIC.name.encode(),
        "ce_time": b"2026-01-01T12:00:00+00:00",
        "content-type": b"application/json",
    }


def test_current_span_travels_along() -> None:
    with TracerProvider().get_tracer("t").start_as_current_span("s") as span:
        record = outgoing(TOPIC, Noted(number=7), key="k")
    traceparent = dict(record.headers)["traceparent"].decode()
    assert f"{span.get_span_context().trace_id:032x}" in traceparent


def test_trace_of_one_record_goes_on() -> None:
    delivered = Delivered(
        event=Noted(number=1),
        topic=TOPIC.name,
        partition=0,
        offset=0,
        key=None,
        value=note(1),
        headers={"traceparent": TRACE.encode()},
    )
    assert dict(outgoing(TOPIC, delivered.event, key="k", trace=delivered.trace).headers)["traceparent"] == (
        TRACE.encode()
    )
    with resumed(delivered.trace):
        assert dict(outgoing(TOPIC, delivered.event, key="k").headers)["traceparent"] == TRACE.encode()
    assert "traceparent" not in dict(outgoing(TOPIC, delivered.event, key="k").headers)


def test_broken_trace_is_no_reason_to_fail() -> None:
    with resumed("not a traceparent"):
        assert "traceparent" not in dict(outgoing(TOPIC, Noted(number=1), key="k").headers)
