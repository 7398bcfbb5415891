"""Spans: one trace for each instance, also over several lives; nothing without OpenTelemetry, and nothing if it is off."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tests.running.conftest import MakeRuntime
from tests.running.effects import open_gates, reached_gates, tracing
from tests.running.test_life import until


class Spans:
    """What was exported."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("test")

    def named(self, name: str) -> list[ReadableSpan]:
        """Those of a name, in the order in which they ended."""
        return [span for span in self.exporter.get_finished_spans() if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        """The only one of a name."""
        [span] = self.named(name)
        return span


@pytest.fixture
def spans(caplog: pytest.LogCaptureFixture) -> Iterator[Spans]:
    """Spans in memory; OpenTelemetry must have nothing to complain about."""
    made = Spans()
    tracing["tracer"] = made.tracer
    yield made
    del tracing["tracer"]
    assert [record.getMessage() for record in caplog.get_records("call") if record.name.startswith("opentelemetry")] == []


def facts_of(span: ReadableSpan) -> dict[str, Any]:
    """Its attributes without the prefix."""
    return {name.removeprefix("durable."): value for name, value in (span.attributes or {}).items()}


def parent_of(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent is not None else None


def id_of(span: ReadableSpan) -> int:
    assert span.context is not None
    number: int = span.context.span_id
    return number


async def test_spans_of_instance_and_steps(make_runtime: MakeRuntime, flows: ModuleType, spans: Spans) -> None:
    """The instance's span stands below that of who began it, the steps below the instance, and foreign spans below them."""
    open_gates.add("gate")
    with spans.tracer.start_as_current_span("request") as request:
        async with make_runtime(telemetry=spans.provider) as runtime:
            assert await runtime.run(flows.traced, "gate", instance_id="one") == "done"
    life = spans.one("traced")
    assert parent_of(life) == request.get_span_context().span_id
    assert facts_of(life) | {"checkpoint": 0} == {
        "instance_id": "one",
        "status": "completed",
        "checkpoint": 0,
        "resumed": False,
    }
    first, last = spans.named("effect")
    assert parent_of(first) == parent_of(last) == id_of(life)
    assert facts_of(last)["checkpoint"] > facts_of(first)["checkpoint"]
    assert facts_of(first)["step_key"].startswith("one/")
    own, inside, held = spans.one("own"), spans.one("inside"), spans.one("hold_traced")
    assert (parent_of(own), parent_of(held), parent_of(inside)) == (id_of(life), id_of(own), id_of(held))
    assert [parent_of(span) for span in spans.named("nothing")] == [id_of(own)] * 2
    refused = spans.one("refuse")
    assert refused.status.status_code == StatusCode.ERROR
    assert refused.status.description == "LookupError: no"
    assert refused.events[0].name == "exception"
    assert life.status.status_code == StatusCode.UNSET


async def test_lives_of_an_instance_are_one_trace(make_runtime: MakeRuntime, flows: ModuleType, spans: Spans) -> None:
    """What is resumed, by whomever, goes on in the trace that it began in; the step that runs again has the same key."""
    async with make_runtime(telemetry=spans.provider) as runtime:
        await runtime.start(flows.traced, "gate", instance_id="one")
        await until(lambda: "gate" in reached_gates)
    first = spans.one("traced")
    assert facts_of(first)["status"] == "running"
    assert first.status.status_code == StatusCode.UNSET
    assert facts_of(spans.one("hold_traced"))["suspended"]
    open_gates.add("gate")
    with spans.tracer.start_as_current_span("another request"):
        async with make_runtime(telemetry=spans.provider) as runtime:
            await runtime.recover()
            assert await runtime.handle("one").result(timeout=60) == "done"
    second = spans.named("traced")[1]
    assert facts_of(second)["resumed"]
    assert parent_of(second) == id_of(first)
    assert {span.context.trace_id for span in spans.exporter.get_finished_spans() if span.context} == {
        span.context.trace_id for span in (first, spans.one("another request")) if span.context
    }
    before, again = spans.named("hold_traced")
    assert facts_of(before)["step_key"] == facts_of(again)["step_key"]
    assert parent_of(spans.one("refuse")) == id_of(second)


async def test_failure_of_an_instance_is_the_error_of_its_span(
    make_runtime: MakeRuntime, flows: ModuleType, spans: Spans
) -> None:
    """An exception that ends the instance is recorded; so is one that keeps it from going on."""
    async with make_runtime(telemetry=spans.provider) as runtime:
        with pytest.raises(LookupError):
            await runtime.run(flows.fail, "x", instance_id="bad")
        handle = await runtime.start(flows.stubborn, instance_id="stubborn")
        await handle.cancel()
        with pytest.raises(Exception, match="cancelled"):
            await handle.result(timeout=60)
    failed = spans.one("fail")
    assert (failed.status.status_code, facts_of(failed)["status"]) == (StatusCode.ERROR, "failed")
    cancelled = spans.one("stubborn")
    assert (cancelled.status.status_code, facts_of(cancelled)["status"]) == (StatusCode.UNSET, "cancelled")


async def test_instances_that_begin_by_being_awaited(make_runtime: MakeRuntime, flows: ModuleType, spans: Spans) -> None:
    """They have spans too, and what they leave current is what was current before."""
    async with make_runtime(telemetry=spans.provider):
        with spans.tracer.start_as_current_span("request") as request:
            assert await flows.add(1, 2) == 3
            with spans.tracer.start_as_current_span("after"):
                pass
    assert parent_of(spans.one("add")) == request.get_span_context().span_id
    assert parent_of(spans.one("after")) == request.get_span_context().span_id


async def test_many_tasks_have_their_own_spans(make_runtime: MakeRuntime, flows: ModuleType, spans: Spans) -> None:
    """Steps of tasks that run side by side do not get into each other's context."""
    open_gates.update({"a", "b"})
    async with make_runtime(telemetry=spans.provider) as runtime:
        await runtime.publish_event("many", "go", 1)
        await runtime.run(flows.collect_after_gates, ["a", "b"], "go", instance_id="many")
    life = spans.one("collect_after_gates")
    assert {parent_of(span) for span in spans.named("hold")} == {id_of(life)}
    assert len({facts_of(span)["step_key"] for span in spans.named("hold")}) == len(spans.named("hold")) == 80


async def test_nothing_is_traced_when_it_is_off(make_runtime: MakeRuntime, flows: ModuleType, spans: Spans) -> None:
    """Without ``telemetry`` there are no spans of ours."""
    async with make_runtime() as runtime:
        assert await runtime.run(flows.add, 1, instance_id="one") == 1
    assert spans.exporter.get_finished_spans() == ()


def test_without_opentelemetry() -> None:
    """The package does not need it, and does not load it; who asks for telemetry is told what to install."""
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from durable_import import DurableRuntime, MissingDriverError\n"
        "DurableRuntime('memory:')\n"
        "try: DurableRuntime('memory:', telemetry=True)\n"
        "except MissingDriverError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install 'durable-import[otel]'" in done.stdout
    loaded = "import sys, durable_import; durable_import.DurableRuntime('memory:'); print('opentelemetry' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
