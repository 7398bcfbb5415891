"""What logs and spans belong to, in programs of several tasks that are killed at any moment."""

from __future__ import annotations

import json
import random

import pytest

from tests.harness.chaos import kill_at_random
from tests.harness.processes import Desk

pytestmark = pytest.mark.slow

STRUCTLOG = """
    # durable: on
    import asyncio
    import structlog
    from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars, merge_contextvars
    from world import effect

    structlog.configure(processors=[merge_contextvars, structlog.processors.KeyValueRenderer(sort_keys=True)])
    log = structlog.get_logger()

    async def work(task):
        bind_contextvars(task=task)
        for number in range(5):
            await effect(f"{task} {number}")
            with bound_contextvars(number=number):
                await effect(f"{task} {number} bound")
                log.info("inside", task_of_line=task)
            await asyncio.sleep(0.01)

    async def main():
        clear_contextvars()
        bind_contextvars(request="r1")
        async with asyncio.TaskGroup() as group:
            for task in range(3):
                group.create_task(work(task))
        mine = log.bind(own=1)
        await effect("last")
        mine.info("end")

    asyncio.run(main())
"""


@pytest.mark.parametrize("seed", range(2))
def test_bound_variables_of_logs(desk: Desk, seed: int) -> None:
    """Each line has what was bound in its task, whenever the process died; no line is missing."""
    desk.write("logs.py", STRUCTLOG)
    native = desk.native("logs.py")
    assert native.status == 0, native
    lives = kill_at_random(desk, "logs.py", moments=random.Random(seed), kills=6, span=0.2)
    assert {line for life in lives.each for line in life.out.splitlines()} == set(native.out.splitlines())
    assert len(native.out.splitlines()) == 16


EXPORTER = """
    import json
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

    class Lines(SpanExporter):
        def export(self, spans):
            with open("spans", "a") as file:
                for span in spans:
                    own = span.get_span_context()
                    line = {"name": span.name, "trace": own.trace_id, "id": own.span_id, "attributes": dict(span.attributes)}
                    file.write(json.dumps(line | {"parent": span.parent and span.parent.span_id}) + "\\n")
            return SpanExportResult.SUCCESS

    trace.set_tracer_provider(TracerProvider())
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(Lines()))
"""

SPANS = """
    # durable: on
    import asyncio, uuid
    import exporter
    from opentelemetry import trace
    from world import effect

    tracer = trace.get_tracer("shop")

    async def work(run, task):
        with tracer.start_as_current_span(f"task {task}", attributes={"run": run}):
            for number in range(4):
                await effect(f"{task} {number}")
                with tracer.start_as_current_span(f"item {task}.{number}") as span:
                    span.set_attribute("run", run)
                    await effect(f"{task} {number} inside")
                    span.set_attribute("same", trace.get_current_span() is span)
                await asyncio.sleep(0.01)

    async def main():
        run = uuid.uuid4().hex
        with tracer.start_as_current_span("main", attributes={"run": run}):
            async with asyncio.TaskGroup() as group:
                for task in range(3):
                    group.create_task(work(run, task))
        print(run)

    asyncio.run(main())
"""


@pytest.mark.parametrize("seed", range(2))
def test_spans(desk: Desk, seed: int) -> None:
    """All spans of a run have one trace and end at least once; one that was not entered again stands below its own outer one."""
    desk.write("exporter.py", EXPORTER)
    desk.write("spans.py", SPANS)
    lives = kill_at_random(desk, "spans.py", moments=random.Random(seed), kills=6, span=0.2)
    run = lives.result.split()[-1]
    spans = [json.loads(line) for line in (desk.folder / "spans").read_text().splitlines()]
    [trace] = {span["trace"] for span in spans if span["attributes"].get("run") == run}
    spans = [span for span in spans if span["trace"] == trace]
    names = {span["id"]: span["name"] for span in spans}
    items = {f"item {task}.{number}": f"task {task}" for task in range(3) for number in range(4)}
    expected = {"main": None, **{f"task {task}": "main" for task in range(3)}, **items}
    assert {span["name"] for span in spans} == expected.keys()
    for span in spans:
        again = [name for name in names.values() if name.split(".")[0].replace("item", "task") == span["name"]]
        assert names.get(span["parent"]) in (expected[span["name"]], span["name"], None, *again), span
    assert all(span["attributes"]["same"] for span in spans if span["name"].startswith("item"))
