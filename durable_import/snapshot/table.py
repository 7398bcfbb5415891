"""All reducers in one place: by exact type (``TABLE``), or by kind (``reduce_by_kind``).

Each returns what ``__reduce_ex__`` would, or NotImplemented where the native way is right. The functions that a reduce
value names are called in snapshots as ``names`` says.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import enum
import pickle
import sys
import weakref
from collections.abc import Callable
from typing import Any

from durable_import.frames.counted_exit import CountedExit
from durable_import.frames.signals import Marker
from durable_import.holds.in_use import in_use
from durable_import.holds.kinds import class_name, has_own_way, kind_of, known_class
from durable_import.holds.refused import Refused
from durable_import.holds.table import Kind
from durable_import.pythons.library import AsyncGeneratorManager, GeneratorManager, Stream
from durable_import.pythons.tasks import FUTURES, LoopBound
from durable_import.snapshot import declared
from durable_import.snapshot.iterators import builtin as iterators
from durable_import.snapshot.iterators import itertools_state, native_forms
from durable_import.snapshot.names import reference_to
from durable_import.snapshot.reducers import (
    async_files,
    buffers,
    compressed,
    context_variables,
    databases,
    enums,
    exceptions,
    files,
    instances,
    module_objects,
    parsing,
    primitives,
    process_objects,
    progress,
    scheduled,
    settings,
    singletons,
    structs,
    telemetry,
    tracebacks,
    wrappers,
)
from durable_import.snapshot.tasks import contexts, futures, loops
from durable_import.upgrades.fields import is_struct

TABLE: dict[type, Callable[[Any], Any]] = {
    Marker: lambda marker: reference_to(marker, (Marker.__module__, marker.name)),
    CountedExit: lambda counted: (
        (native_forms.itself, (counted.leave,)) if counted.block.may_be_saved() else counted.__reduce__()
    ),
    **iterators.TABLE,
    **itertools_state.TABLE,
    **native_forms.TABLE,
    **files.TABLE,
    **tracebacks.TABLE,
    **wrappers.TABLE,
    **process_objects.TABLE,
    **context_variables.TABLE,
    **contexts.TABLE,
    **futures.TABLE,
    **loops.TABLE,
    **settings.TABLE,
    **parsing.TABLE,
    **buffers.TABLE,
    **singletons.TABLE,
}

_BY_KIND: tuple[tuple[tuple[type, ...], Callable[[Any], Any]], ...] = (
    ((BaseException,), exceptions.reduce_exception),
    ((GeneratorManager, AsyncGeneratorManager), settings.reduce_generator_manager),
    ((type,), declared.reduce_declared),
    ((enum.Enum,), enums.reduce_member),
    ((LoopBound,), primitives.reduce_bound),
    (FUTURES, futures.reduce_future),
    ((asyncio.AbstractEventLoop,), loops.reduce_loop),
    ((Stream,), files.reduce_stream),
    ((concurrent.futures.Future,), process_objects.reduce_thread_future),
    (process_objects.PROCESS_BOUND, process_objects.refuse_process_bound),
)


def _place(name: str) -> tuple[str, str]:
    """Module and class of a line of ``holds.table``."""
    module, _, cls = name.partition(":")
    return module, cls


_BY_NAME: dict[tuple[str, str], Callable[[Any], Any]] = {  # of modules that are not imported for their sake
    ("_csv", "reader"): parsing.reduce_csv_reader,
    ("_csv", "writer"): parsing.reduce_csv_writer,
    ("_json", "Scanner"): parsing.reduce_json_scanner,
    ("builtins", "PyCapsule"): buffers.reduce_capsule,
    ("builtins", "fieldnameiterator"): parsing.refuse_parser,
    ("builtins", "formatteriterator"): parsing.refuse_parser,
    ("builtins", "memory_iterator"): parsing.refuse_parser,
    ("decimal", "ContextManager"): process_objects.reduce_decimal_context,
    ("numpy", "ndarray"): buffers.reduce_array,
    ("opentelemetry.context.context", "Context"): telemetry.reduce_trace_context,
    _place("apscheduler.job:Job"): scheduled.reduce_job,
    _place("opentelemetry.util._decorator:_AgnosticContextManager"): telemetry.reduce_span_block,
    _place("rich.progress:_TrackThread"): progress.reduce_track_thread,
    ("sqlite3", "Connection"): databases.reduce_connection,
    ("sqlite3", "Cursor"): databases.reduce_cursor,
    ("sqlite3", "Row"): databases.reduce_row,
    ("string.templatelib", "TemplateIter"): parsing.reduce_template_iterator,
    ("tempfile", "SpooledTemporaryFile"): files.refuse_temporary,
    ("tenacity", "Retrying"): process_objects.reduce_with_thread_local,
    ("tenacity.asyncio", "AsyncRetrying"): process_objects.reduce_with_thread_local,
    ("tempfile", "_TemporaryFileWrapper"): files.refuse_temporary,
    **async_files.BY_NAME,
    **compressed.BY_NAME,
}

_BY_BASE: dict[tuple[str, str], Callable[[Any], Any]] = {  # the same, with all classes derived from them
    ("numpy", "memmap"): buffers.refuse_mapped,
    ("opentelemetry.sdk.trace", "Span"): telemetry.reduce_span,
    ("opentelemetry.sdk.trace", "SpanProcessor"): telemetry.refuse_processor,
    ("opentelemetry.sdk.trace", "Tracer"): telemetry.reduce_tracer,
    ("opentelemetry.sdk.trace", "TracerProvider"): telemetry.reduce_provider,
    ("tqdm.std", "tqdm"): progress.reduce_bar,
    ("unittest.mock", "Base"): process_objects.refuse_mock,
}

_Plan = Callable[[Any], Any] | None  # None: pickle's own way
_PLANS: dict[type, _Plan] = {}
_LOCAL_PLANS: weakref.WeakKeyDictionary[type, _Plan] = weakref.WeakKeyDictionary()  # such classes come and go


def reduce_by_kind(obj: Any) -> Any:
    """The reduce value of an object whose class needs care, else NotImplemented."""
    cls = type(obj)
    try:
        plan = _PLANS[cls]
    except KeyError:
        plan = _plan(cls)
    return NotImplemented if plan is None else plan(obj)


def _plan(cls: type) -> _Plan:
    known = _PLANS if "<locals>" not in cls.__qualname__ else _LOCAL_PLANS
    if cls not in known:
        reducer = next((_BY_BASE[key] for b in cls.__mro__ if (key := (b.__module__, b.__name__)) in _BY_BASE), None)
        reducer = plan = reducer or _BY_NAME.get((cls.__module__, cls.__name__))
        if is_struct(cls):
            reducer = plan = structs.reducer_for(cls)
        if reducer is None:
            reducer = next((reducer for kinds, reducer in _BY_KIND if issubclass(cls, kinds)), None)
            plan = _reopenable_refused(cls, reducer or _holding_refused(cls, instances.reducer_for(cls)))
        plan = _unread_refused(cls, plan)
        known[cls] = singletons.by_reference(cls, plan)
    return known[cls]


def _holding_refused(cls: type, plan: _Plan) -> _Plan:
    """``plan``, but refuses objects of which it is known that they cannot be brought back, though pickle would copy them.

    Of the standard library's objects it is known what becomes of each.
    """
    known = known_class(cls)
    if known is None or known.kind is not Kind.HOLDS or has_own_way(cls):
        return plan
    if cls.__module__.partition(".")[0] in sys.stdlib_module_names:
        return plan
    return _refused(Kind.HOLDS, f"a copy of a {class_name(cls)} would not be what it is", plan)


def _reopenable_refused(cls: type, plan: _Plan) -> _Plan:
    """``plan``, but an object that would be reopenable if the call that made it had been noted is refused.

    One at module level is the application's, and not in the way unless something is open in it.
    """
    known, has_own = known_class(cls), has_own_way(cls)
    if known is None or known.kind is not Kind.REOPENABLE:
        return plan
    way_out = "Make it within the coroutine that is run, or keep it at module level."
    refuse = _refused(Kind.REOPENABLE, f"a {class_name(cls)} that was not made in this instance", plan, way_out)

    def reduce(obj: Any) -> Any:
        if has_own and _can_be_reduced(obj):
            return NotImplemented if plan is None else plan(obj)
        by_place = module_objects.reduce_by_place(obj) if kind_of(obj) is Kind.REOPENABLE and not in_use(obj) else None
        return refuse(obj) if by_place is None else by_place

    return reduce


def _can_be_reduced(obj: Any) -> bool:
    """Whether its class's own way to be saved works: some are there to say that it must not be."""
    try:
        obj.__reduce_ex__(pickle.HIGHEST_PROTOCOL)
    except Exception:  # whatever it says
        return False
    return True


def _unread_refused(cls: type, plan: _Plan) -> _Plan:
    """``plan``, but a response that is right only when it has been read is refused before."""
    known = known_class(cls)
    if known is None or known.kind is not Kind.SAVED or not known.spent:
        return plan

    def reduce(obj: Any) -> Any:
        use = in_use(obj)
        if use:
            raise pickle.PicklingError(use)
        return NotImplemented if plan is None else plan(obj)

    return reduce


def _refused(kind: Kind, why: str, plan: _Plan, way_out: str = "") -> Callable[[Any], Any]:
    """``plan`` for objects that are not of this kind now: what a library's object is depends on how it is imported."""

    def reduce(obj: Any) -> Any:
        if kind_of(obj) is kind:
            raise Refused(why, way_out) if way_out else pickle.PicklingError(why)
        return NotImplemented if plan is None else plan(obj)

    return reduce
