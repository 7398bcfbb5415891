"""OpenTelemetry's spans that have begun, their blocks, and contexts.

A span of the SDK goes on in the process that resumes: it is begun again there with what it had, its ids, parent, start and
attributes, and is exported when it ends. So is one only that the global provider made; any other becomes the remote parent of
what comes later, as if it were sent to another process. Of a block in which a span is the current one (``use_span``, and what
calls that) the span and what leaving does are saved, for the generators behind it are a library's.

Keys that a process makes up when it begins ("current-span-" and a random number) are saved as the names of the module-level
constants that hold them.
"""

from __future__ import annotations

import copy
import gc
import importlib
import operator
import sys
from pickle import PicklingError
from types import GeneratorType
from typing import Any, NamedTuple

from .module_objects import reduce_by_place
from .settings import reduce_generator_manager

Reduced = tuple[Any, ...] | str
Key = str | tuple[str, str]

_OF_PROCESS = (
    "it is of a tracer provider that is not the global one: use trace.set_tracer_provider(), or keep the tracer at module level"
)
_CONTEXT = ("opentelemetry.context.context", "Context")


def restore_trace_context(items: list[tuple[Key, Any]]) -> Any:
    """A context of OpenTelemetry."""
    from opentelemetry.context import Context

    return Context({_key_today(key): value for key, value in items})


def restore_remote_span(trace_id: int, span_id: int, flags: int, state: list[tuple[str, str]]) -> Any:
    """A span of another process."""
    from opentelemetry import trace

    return trace.NonRecordingSpan(_span_context(_Place(trace_id, span_id, flags, state, True)))


def reduce_trace_context(context: Any) -> Reduced:
    """See the module."""
    return restore_trace_context, ([(_name_of(key), _as_saved(value)) for key, value in context.items()],)


def as_given(value: Any) -> Any:
    """What is kept of a context variable's value for an instance that is given it: spans are the caller's, who ends them."""
    if (type(value).__module__, type(value).__qualname__) != _CONTEXT:
        return value
    from opentelemetry.trace import Span

    return type(value)({key: _RemoteSpan(each) if isinstance(each, Span) else each for key, each in value.items()})


def _as_saved(value: Any) -> Any:
    from opentelemetry.trace import Span

    return _RemoteSpan(value) if isinstance(value, Span) and not _goes_on(value) else value


def _goes_on(span: Any) -> bool:
    """Whether another process can have the span itself."""
    from opentelemetry.trace import NonRecordingSpan

    return type(span) is NonRecordingSpan or _is_of_provider(span)


class _RemoteSpan:
    """Stands for a span of this process."""

    def __init__(self, span: Any) -> None:
        self._span = span

    def __reduce__(self) -> tuple[Any, ...]:
        return restore_remote_span, tuple(_place_of(self._span.get_span_context()))[:4]


def _name_of(key: str) -> Key:
    for module in [name for name in sys.modules if name.partition(".")[0] == "opentelemetry"]:
        for name, value in list(vars(sys.modules[module]).items()):
            if value is key:
                return module, name
    return key


def _key_today(key: Key) -> str:
    return key if isinstance(key, str) else str(getattr(importlib.import_module(key[0]), key[1]))


# --- what makes spans


def reduce_tracer(tracer: Any) -> Reduced:
    """A tracer of the global provider, or one that stands at module level; raises PicklingError for another one."""
    scope = getattr(tracer, "_instrumentation_scope", None)
    if not _is_global(tracer.span_processor) or scope is None:
        return _by_place(tracer)
    return restore_tracer, (scope.name, scope.version, scope.schema_url, dict(scope.attributes or {}))


def restore_tracer(name: str, version: str | None, schema: str | None, attributes: dict[str, Any]) -> Any:
    """The tracer of that name, of the global provider today."""
    from opentelemetry import trace

    return trace.get_tracer(name, version, schema_url=schema, attributes=attributes)


def reduce_provider(provider: Any) -> Reduced:
    """The global provider is that of each process; otherwise as ``reduce_tracer``."""
    from opentelemetry import trace

    return (trace.get_tracer_provider, ()) if trace.get_tracer_provider() is provider else _by_place(provider)


def _by_place(maker: Any) -> Reduced:
    found: Reduced | None = reduce_by_place(maker)
    if found is None:
        raise PicklingError(_OF_PROCESS)
    return found


def refuse_processor(processor: Any) -> Reduced:
    """What exports spans is of this process: a copy would be one that no provider knows."""
    raise PicklingError(f"a {type(processor).__qualname__} belongs to the tracer provider of this process")


def _is_global(processor: Any) -> bool:
    from opentelemetry import trace

    return processor is not None and getattr(trace.get_tracer_provider(), "_active_span_processor", None) is processor


# --- spans


class _Place(NamedTuple):
    """What makes a span known to others."""

    trace_id: int
    span_id: int
    flags: int
    state: list[tuple[str, str]]
    is_remote: bool


def _place_of(context: Any) -> _Place:
    state = list(context.trace_state.items())
    return _Place(context.trace_id, context.span_id, int(context.trace_flags), state, context.is_remote)


def _span_context(place: _Place) -> Any:
    from opentelemetry import trace

    flags, state = trace.TraceFlags(place.flags), trace.TraceState(place.state)
    return trace.SpanContext(place.trace_id, place.span_id, place.is_remote, flags, state)


def _is_of_provider(span: Any) -> bool:
    """Whether a span was made by a tracer of the global provider, which another process has too, or has ended."""
    return getattr(span, "end_time", None) is not None or _is_global(getattr(span, "_span_processor", None))


def reduce_span(span: Any) -> Reduced:
    """A span of the SDK; raises PicklingError for one of a provider that is not the global one."""
    if not _is_of_provider(span):
        raise PicklingError(_OF_PROCESS)
    scope, parent = span.instrumentation_scope, span.parent
    facts = {
        "scope": (scope.name, scope.version, scope.schema_url, dict(scope.attributes or {})),
        "name": span.name,
        "kind": span.kind.name,
        "place": tuple(_place_of(span.get_span_context())),
        "parent": tuple(_place_of(parent)) if parent is not None else None,
        "attributes": dict(span.attributes or {}),
        "events": [(each.name, dict(each.attributes or {}), each.timestamp) for each in span.events],
        "links": [(tuple(_place_of(each.context)), dict(each.attributes or {})) for each in span.links],
        "status": (span.status.status_code.name, span.status.description),
        "times": (span.start_time, span.end_time),
    }
    return restore_span, (facts,)


def restore_span(facts: dict[str, Any]) -> Any:
    """The span, begun again with what it had; in a process that has no provider yet, only the parent of others."""
    from opentelemetry import trace

    tracer = restore_tracer(*facts["scope"])
    tracer = getattr(tracer, "_tracer", tracer)
    own = _Place(*facts["place"])
    if not hasattr(tracer, "id_generator"):
        return trace.NonRecordingSpan(_span_context(own))
    start, end = facts["times"]
    parent = trace.NonRecordingSpan(_span_context(_Place(*facts["parent"]))) if facts["parent"] else trace.INVALID_SPAN
    span = _beginning_again(tracer, own, has_ended=end is not None).start_span(
        facts["name"],
        context=trace.set_span_in_context(parent),
        kind=trace.SpanKind[facts["kind"]],
        attributes=facts["attributes"],
        links=[trace.Link(_span_context(_Place(*place)), attributes) for place, attributes in facts["links"]],
        start_time=start,
    )
    span.set_attributes(facts["attributes"])  # a processor may have set others as it began
    for name, attributes, at in facts["events"]:
        span.add_event(name, attributes, at)
    code, description = facts["status"]
    span.set_status(trace.Status(trace.StatusCode[code], description))
    if end is not None:
        span.end(end)
    return span


def _beginning_again(tracer: Any, place: _Place, *, has_ended: bool) -> Any:
    """A tracer like another one, whose next span has the ids of one that has begun; nothing is exported of one that has ended."""
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.id_generator import IdGenerator
    from opentelemetry.sdk.trace.sampling import Decision, StaticSampler
    from opentelemetry.trace import TraceFlags

    class SameIds(IdGenerator):
        def generate_trace_id(self) -> int:
            return place.trace_id

        def generate_span_id(self) -> int:
            return place.span_id

        def is_trace_id_random(self) -> bool:
            return bool(place.flags & 2)

    same = copy.copy(tracer)
    same.id_generator = SameIds()
    same.sampler = StaticSampler(Decision.RECORD_AND_SAMPLE if place.flags & TraceFlags.SAMPLED else Decision.RECORD_ONLY)
    if has_ended:
        same.span_processor = SpanProcessor()
    return same


# --- blocks


class SpanBlock:
    """A block that was entered in an earlier life, in which a span is the current one; to leave it is as natively."""

    def __init__(self, span: Any, token: Any, ends: bool, records: bool, marks: bool) -> None:
        self.span = span
        self.token = token
        self.ends = ends
        self.records = records
        self.marks = marks

    def __enter__(self) -> Any:
        return self.span

    def __exit__(self, cls: Any, error: BaseException | None, traceback: Any) -> None:
        """See ``opentelemetry.trace.use_span``."""
        from opentelemetry import context, trace

        context.detach(self.token)
        try:
            if isinstance(error, Exception) and self.span.is_recording():
                if self.records:
                    self.span.record_exception(error)
                if self.marks:
                    self.span.set_status(trace.Status(trace.StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        finally:
            if self.ends:
                self.span.end()

    def __reduce__(self) -> tuple[Any, ...]:
        return restore_span_block, (self.span, self.token, self.ends, self.records, self.marks)


def restore_span_block(span: Any, token: Any, ends: bool, records: bool, marks: bool) -> SpanBlock:
    """The manager of a block in which a span is the current one."""
    return SpanBlock(span, token, ends, records, marks)


def reduce_span_block(manager: Any) -> Any:
    """The manager of such a block, or the call that made it if it was not entered.

    One that was entered, of another provider's span, is refused, and entered again.
    """
    from opentelemetry import trace

    function = getattr(manager, "func", None)  # until it is entered
    if function is not None:
        return restore_span_call, (function.__module__, function.__qualname__, manager.args, manager.kwds)
    code = trace.use_span.__wrapped__.__code__  # type: ignore[attr-defined]
    generator: Any = manager.gen
    while type(generator) is GeneratorType and generator.gi_code is not code:
        generator = next(_blocks_within(generator), None)
    frame = generator.gi_frame if type(generator) is GeneratorType else None
    found = frame.f_locals if frame is not None else {}
    if "token" not in found or not _goes_on(found["span"]):
        return reduce_generator_manager(manager)
    names = ("span", "token", "end_on_exit", "record_exception", "set_status_on_exception")
    return restore_span_block, tuple(found[name] for name in names)


def restore_span_call(module: str, qualname: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A manager that was not entered, by the function that makes it."""
    return operator.attrgetter(qualname)(importlib.import_module(module))(*args, **kwargs)


def _blocks_within(generator: Any) -> Any:
    """The generators of the managers whose blocks a generator stands in: only its frame refers to them."""
    for referred in gc.get_referents(generator):
        inner = getattr(getattr(referred, "__self__", referred), "gen", None)
        if type(inner) is GeneratorType:
            yield inner
