"""Spans of OpenTelemetry: one for each life of an instance, and below it one for each step.

Loaded only if telemetry was asked for; OpenTelemetry is imported here and in ``metrics``, and nowhere else. The lives of one
instance are one trace: what a process that was killed has not exported is missing from it, and the spans of later lives stand
below it.

A span is not state, and which one is current is in no snapshot: a block that makes a span current, around an await of a durable
function, is entered again on resume. What a snapshot holds is where in the trace later lives belong.
"""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Token
from functools import partial
from typing import Any

from ..aio.executors import begin_call
from ..aio.task import DurableTask
from ..errors import InstanceSuspendedError, MissingDriverError, PauseForEventException
from ..frames.step import FAILED, PENDING, Step
from ..snapshot.tasks.contexts import NEVER_SAVED
from ..stores.store import Store
from .instance.driver import InstanceDriver
from .instance.records import Outcome

try:
    from opentelemetry import context as contexts
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    from .metrics import Metrics
except ImportError as error:
    raise MissingDriverError(
        f"telemetry needs OpenTelemetry, which cannot be imported ({error}). Install it with: pip install 'durable-import[otel]'"
    ) from error

TRACE = "trace"  # the fact of snapshots that says where later lives belong
_LEAVING = (InstanceSuspendedError, PauseForEventException)  # the life ends, the instance does not
_PROPAGATOR = TraceContextTextMapPropagator()


class Telemetry:
    """Makes the spans of one runtime, with a tracer of ``provider``, and its metrics, with a meter of ``meters``; None: those of
    the global ones. ``store``: whose instances are counted."""

    def __init__(self, store: Store, provider: trace.TracerProvider | None = None, meters: MeterProvider | None = None) -> None:
        self._tracer = trace.get_tracer("durable_import", tracer_provider=provider)
        self._metrics = Metrics(store, meters)
        self.commit = self._metrics.commit
        self.holds = self._metrics.holds

    @contextmanager
    def life(self, driver: InstanceDriver, *, is_resumed: bool, wake_at: float | None = None) -> Iterator[Life]:
        """A life of an instance in the running task, before its driver is awaited. ``wake_at``: when it was to go on."""
        self._metrics.life_begins(driver.function, wake_at)
        outside = contexts.get_current()
        carrier: dict[str, str] = driver.facts.get(TRACE, {})
        parent = _PROPAGATOR.extract(carrier) if carrier else outside
        attributes: dict[str, Any] = {
            "durable.instance_id": str(driver.encoder.instance_id),
            "durable.checkpoint": max(driver.checkpoint, 0),
            "durable.resumed": is_resumed,
        }
        span = self._tracer.start_span(driver.function, parent, attributes=attributes)
        inside = trace.set_span_in_context(span, outside)
        token = contexts.attach(inside)
        if not carrier:
            _PROPAGATOR.inject(carrier)
            driver.facts[TRACE] = carrier
        NEVER_SAVED.update(variable for variable, value in contextvars.copy_context().items() if value is inside)
        for task in driver.loop.tasks:  # restored ones
            if task.get_context().run(contexts.get_current) is outside:
                task.get_context().run(contexts.attach, inside)
        life = Life(self._tracer, self._metrics, driver, span)
        driver.loop.observer = life
        try:
            yield life
        except BaseException as error:
            life.fails(error)
            raise
        finally:
            driver.loop.observer = None
            life.ends()
            contexts.detach(token)


class Life:
    """The spans of one life; told of steps by ``InstanceLoop``."""

    def __init__(self, tracer: trace.Tracer, metrics: Metrics, driver: InstanceDriver, span: trace.Span) -> None:
        self._tracer = tracer
        self._metrics = metrics
        self._driver = driver
        self._span = span
        self._status = ""
        self._steps: dict[DurableTask, _StepSpan] = {}

    def has_outcome(self, outcome: Outcome) -> None:
        """The instance ends with its life."""
        self._status = outcome.status
        if outcome.status == "failed" and outcome.error is not None:
            self.fails(outcome.error)

    def fails(self, error: BaseException) -> None:
        """The life ends with this."""
        if isinstance(error, Exception) and not isinstance(error, _LEAVING):
            _note(self._span, error)

    def ends(self) -> None:
        """Whatever has begun has ended."""
        for step in self._steps.values():
            step.span.set_attribute("durable.suspended", True)
            step.span.end()
        kept = self._driver.kept
        status = self._status or (kept.status if kept is not None else "running")
        self._metrics.life_ends(self._driver.function, status)
        self._span.set_attribute("durable.status", status)
        self._span.set_attribute("durable.checkpoint", max(self._driver.checkpoint, 0))
        self._span.end()

    def step_goes_on(self, task: DurableTask, step: Step) -> Token[Context]:
        """Foreign code of a step is going to run; the result is for ``step_rests``."""
        known = self._steps.get(task)
        if known is None or known.step is not step:
            attributes: dict[str, Any] = {
                "durable.step_key": self._driver.loop.key_of(task),
                "durable.checkpoint": max(self._driver.checkpoint, 0),
            }
            span = self._tracer.start_span(name_of(step.awaitable), attributes=attributes)
            known = self._steps[task] = _StepSpan(step, span)
        return contexts.attach(trace.set_span_in_context(known.span))

    def step_rests(self, task: DurableTask, step: Step, token: Token[Context]) -> None:
        """Foreign code of a step has run."""
        contexts.detach(token)
        if step.state != PENDING:
            span = self._steps.pop(task).span
            self._metrics.step_ends(self._driver.function)
            if step.state == FAILED and isinstance(step.value, Exception):
                _note(span, step.value)
            if self._driver.is_suspending:
                span.set_attribute("durable.suspended", True)
            span.end()


class _StepSpan:
    def __init__(self, step: Step, span: trace.Span) -> None:
        self.step = step
        self.span = span


def name_of(awaitable: Any) -> str:
    """The qualified name of what a step is: of a coroutine its function; of a call in a thread or process, what is called."""
    frame = getattr(awaitable, "cr_frame", None)
    named = awaitable
    if frame is not None and frame.f_code.co_name == "to_thread" and frame.f_globals.get("__name__") == "asyncio.threads":
        named = frame.f_locals["func"]
    elif frame is not None and frame.f_code is begin_call.__code__:
        named = frame.f_locals["call"].function
    while isinstance(named, partial):
        named = named.func
    return str(getattr(named, "__qualname__", type(named).__qualname__))


def _note(span: trace.Span, error: Exception) -> None:
    span.record_exception(error)
    span.set_status(trace.Status(trace.StatusCode.ERROR, f"{type(error).__name__}: {error}"))
