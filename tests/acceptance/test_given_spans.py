"""Spans of OpenTelemetry that a program stands in, with the real SDK, over kills at each of its steps."""

from __future__ import annotations

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import Desk

pytestmark = pytest.mark.slow

TRACING = """
    import json
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    early = trace.get_tracer("early")  # of no provider yet
    trace.set_tracer_provider(TracerProvider())
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))

    def as_line(span):
        own = span.get_span_context()
        return json.dumps({
            "id": own.span_id, "trace": own.trace_id, "parent": span.parent and span.parent.span_id, "name": span.name,
            "attributes": dict(span.attributes), "events": [(each.name, dict(each.attributes)) for each in span.events
            if each.name != "exception"], "status": str(span.status.status_code), "kind": str(span.kind),
            "links": [each.context.span_id for each in span.links], "scope": span.instrumentation_scope.name,
        })

    def write():
        with open("spans", "a") as file:
            for span in exporter.get_finished_spans():
                file.write(as_line(span) + "\\n")
        exporter.clear()

    def seen():
        write()
        spans = [json.loads(line) for line in dict.fromkeys(open("spans"))]  # one that ended just before a kill ends again
        names = {span["id"]: span["name"] for span in spans}
        traces = list(dict.fromkeys(span["trace"] for span in spans))
        for span in spans:
            span["id"], span["parent"] = names[span["id"]], names.get(span["parent"])
            span["links"], span["trace"] = [names[each] for each in span["links"]], traces.index(span["trace"])
        return spans
"""

PROGRAM = """
    # durable: on
    import asyncio

    import tracing
    from opentelemetry import baggage, context, trace
    from tracing import early
    from world import effect

    tracer = trace.get_tracer("shop", "1.0")

    async def step(name):
        tracing.write()
        await effect(name)

    async def fail():
        with tracer.start_as_current_span("failing", kind=trace.SpanKind.CLIENT):
            await step("failing")
            raise ValueError("no")

    async def inner(link):
        with tracer.start_as_current_span("inner", links=[trace.Link(link)]) as span:
            span.set_attribute("before", 1)
            await step("inner")
            span.add_event("woke", {"n": 1})
            try:
                await fail()
            except ValueError:
                span.set_attribute("same", trace.get_current_span() is span)
            await step("behind failing")

    @tracer.start_as_current_span("decorated")
    async def decorated():
        await step("decorated")
        trace.get_current_span().set_attribute("of", "decorated")
        await step("decorated still")

    async def main():
        token = context.attach(baggage.set_baggage("customer", "c1"))
        with early.start_as_current_span("outer", attributes={"first": 1}) as span:
            span.set_attribute("second", [1, 2])
            await step("outer")
            await asyncio.create_task(inner(span.get_span_context()))
            span.set_attribute("customer", baggage.get_baggage("customer"))
            await decorated()
            bare = tracer.start_span("bare")
            await step("bare")
            bare.end()
            with trace.use_span(tracer.start_span("used"), end_on_exit=True):
                await step("used")
        context.detach(token)
        await step("end")
        print(trace.get_current_span() is trace.INVALID_SPAN, baggage.get_all(), tracing.seen())

    asyncio.run(main())
"""


def test_spans_go_on_where_they_were(desk: Desk) -> None:
    """Killed in each step, a program's spans are those of one trace, with their parents, attributes, events and statuses."""
    [done] = killed_at(desk, {"shop.py": PROGRAM, "tracing.py": TRACING}, range(1, 18, 2))
    assert "held" not in done.said


OTHER = """
    # durable: on
    import asyncio

    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from world import effect

    tracer = TracerProvider().get_tracer("own")

    async def main():
        with tracer.start_as_current_span("outer") as span:
            await effect("one")
            same = trace.get_current_span() is span and span.is_recording()
        print(same, trace.get_current_span() is trace.INVALID_SPAN)

    asyncio.run(main())
"""


def test_span_of_another_provider_starts_over(desk: Desk) -> None:
    """What no process can find again is entered again, and holds nothing."""
    [done] = killed_at(desk, {"other.py": OTHER}, 1)
    assert "held" not in done.said
