"""Contexts of OpenTelemetry: saved as they are sent to another process, for a span that has begun is one of this process.

The current span becomes the remote parent of what comes later. Keys that a process makes up when it begins ("current-span-" and a
random number) are saved as the names of the module-level constants that hold them.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

Reduced = tuple[Any, ...] | str
Key = str | tuple[str, str]


def restore_trace_context(items: list[tuple[Key, Any]]) -> Any:
    """A context of OpenTelemetry."""
    from opentelemetry.context import Context

    return Context({_key_today(key): value for key, value in items})


def restore_remote_span(trace_id: int, span_id: int, flags: int, state: list[tuple[str, str]]) -> Any:
    """A span of another process."""
    from opentelemetry import trace

    flag, states = trace.TraceFlags(flags), trace.TraceState(state)
    return trace.NonRecordingSpan(trace.SpanContext(trace_id, span_id, True, flag, states))


def reduce_trace_context(context: Any) -> Reduced:
    """See the module."""
    from opentelemetry.trace import Span

    items = [(_name_of(key), _RemoteSpan(value) if isinstance(value, Span) else value) for key, value in context.items()]
    return restore_trace_context, (items,)


class _RemoteSpan:
    """Stands for a span of this process."""

    def __init__(self, span: Any) -> None:
        self._span = span

    def __reduce__(self) -> tuple[Any, ...]:
        place = self._span.get_span_context()
        return restore_remote_span, (place.trace_id, place.span_id, int(place.trace_flags), list(place.trace_state.items()))


def _name_of(key: str) -> Key:
    for module in [name for name in sys.modules if name.partition(".")[0] == "opentelemetry"]:
        for name, value in list(vars(sys.modules[module]).items()):
            if value is key:
                return module, name
    return key


def _key_today(key: Key) -> str:
    return key if isinstance(key, str) else str(getattr(importlib.import_module(key[0]), key[1]))
