import pytest
from opentelemetry import trace

from garbo.common.runtime.telemetry import context_from, current_traceparent
from garbo.common.runtime.uncollected import Uncollected

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_span_without_a_parent_begins_a_trace_that_is_not_sampled() -> None:
    tracer = Uncollected().get_tracer("t")
    with tracer.start_as_current_span("one"):
        one = current_traceparent()
    with tracer.start_as_current_span("two"):
        two = current_traceparent()
    assert one
    assert two
    assert one[3:35] != two[3:35]
    assert one.endswith("-00")


def test_span_goes_on_with_the_trace_it_is_given() -> None:
    tracer = Uncollected().get_tracer("t")
    with tracer.start_as_current_span("s", context=context_from(PARENT)):
        inside = current_traceparent()
    assert inside is not None
    assert inside[:36] == PARENT[:36]
    assert inside[36:52] != PARENT[36:52]


def test_spans_nest() -> None:
    tracer = Uncollected().get_tracer("t")
    with tracer.start_as_current_span("outer") as outer:
        with tracer.start_as_current_span("inner") as inner:
            inner.set_attribute("a", 1)
            assert trace.get_current_span() is inner
        assert inner.get_span_context().trace_id == outer.get_span_context().trace_id
        assert trace.get_current_span() is outer
    assert current_traceparent() is None


def test_span_ends_when_its_work_fails() -> None:
    def fail() -> None:
        with Uncollected().get_tracer("t").start_as_current_span("s"):
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert current_traceparent() is None
