"""The names that functions and classes of this package have in snapshots: short, and they stay when files move.

A pickle says ``registered("frame")`` for what restores a frame; there is no module of this package in it. ``registered`` itself
is named by the prelude of each pickle: see ``pickler``.

Add what a reducer gives here, under a name of its own; never change a name, or what its arguments mean. What is not here is
refused when it is saved, and an unknown name when it is loaded. The public names of the package are known by themselves.
"""

from __future__ import annotations

import pickle
import sys
from functools import cache, reduce
from importlib import import_module
from typing import Any

from ..errors import SnapshotFormatError
from ..hook.code_table import PROGRAM
from ..ours import NAME, PREFIX
from ..pythons.moved import place_today
from .former_names import FORMER, FORMER_MODULES

MODULE = "@durable"  # the module of ``registered`` in a pickle: no program can have one of that name

#: By module below the package: the attributes that snapshots name, and how.
NAMES: dict[str, dict[str, str]] = {
    "aio.events": {"Inbox": "inbox"},
    "aio.executors": {"ExecutorCall": "thread_call", "begin_call": "thread_call.begin"},
    "aio.loop": {"InstanceLoop": "loop.type"},
    "aio.questions": {"Request": "request"},
    "aio.task": {"DurableTask": "task.type"},
    "aio.task_iterators": {"Driven": "driven", "TaskIterator": "task.iterator"},
    "aio.timers": {"Timer": "timer"},
    "aio.wait_again": {"wait_again": "wait_again"},
    "aio.worker_threads": {"WorkerCall": "worker_call", "WorkerThreads": "worker_threads"},
    "api.handle": {
        "InstanceHandle.cancel": "instance_handle.cancel", "InstanceHandle.children": "instance_handle.children",
        "InstanceHandle.ask": "instance_handle.ask", "InstanceHandle.tree": "instance_handle.tree",
        "InstanceHandle.delete": "instance_handle.delete",
        "InstanceHandle.events": "instance_handle.events", "InstanceHandle.history": "instance_handle.history",
        "InstanceHandle.info": "instance_handle.info", "InstanceHandle.migrate": "instance_handle.migrate",
        "InstanceHandle.result": "instance_handle.result",
        "InstanceHandle.retry": "instance_handle.retry", "InstanceHandle.send": "instance_handle.send",
        "InstanceHandle.stack": "instance_handle.stack", "InstanceHandle.status": "instance_handle.status",
    },
    "api.children": {"InstanceTree": "instance_tree"},
    "api.inspection": {"EventView": "view.event"},
    "api.options": {"Options": "options", "Options.run": "options.run", "Options.start": "options.start"},
    "api.runtime": {
        "DurableRuntime.ask": "runtime.ask",
        "DurableRuntime.cancel": "runtime.cancel", "DurableRuntime.cancel_all": "runtime.cancel_all",
        "DurableRuntime.count": "runtime.count", "DurableRuntime.delete": "runtime.delete",
        "DurableRuntime.delete_all": "runtime.delete_all", "DurableRuntime.fork": "runtime.fork",
        "DurableRuntime.history": "runtime.history",
        "DurableRuntime.list": "runtime.list", "DurableRuntime.migrate": "runtime.migrate",
        "DurableRuntime.publish_event": "runtime.publish_event",
        "DurableRuntime.retry": "runtime.retry", "DurableRuntime.retry_all": "runtime.retry_all",
        "DurableRuntime.rewind": "runtime.rewind", "DurableRuntime.run": "runtime.run", "DurableRuntime.start": "runtime.start",
        "_ambient": "runtime",
    },
    "api.session": {"interrupt": "interrupt"},
    "compat.program": {"DurableProgram.run_outside": "program.run"},
    "frames.awaiting": {"Awaiting": "awaiting", "Delegated": "delegated"},
    "frames.capture": {"Continued": "continued"},
    "frames.except_star": {"ExceptStar": "except_star"},
    "frames.intrinsics": {"NextItem": "next_item", "checked_anext": "checked_anext"},
    "frames.signals": {"NO_MORE": "no_more", "PRIMED": "primed"},
    "frames.step": {"Step": "step"},
    "holds.noting": {
        "enter_async_manager": "manager.enter_async", "enter_manager": "manager.enter",
        "leave_async_manager": "manager.leave_async", "leave_manager": "manager.leave",
    },
    "holds.opening": {"Reopening": "reopening"},
    "holds.spent": {"SpentExit": "spent_exit", "leave_spent": "spent_exit.call"},
    "inspect.lines": {"FunctionText": "view.text"},
    "inspect.stack": {"FrameView": "view.frame", "InstanceStack": "view.stack", "TaskView": "view.task"},
    "inspect.values": {"Description": "view.value", "Limits": "view.limits"},
    "inspect.waits": {"StepView": "view.step", "Wait": "view.wait"},
    "pythons.earlier": {"_AsCompletedIterator": "as_completed_iterator"},
    "pythons.frozen": {"frozendict": "frozendict"},
    "pythons.iterators": {"set_state": "set_state"},
    "running.instance.driver": {"_report_failure": "report_failure"},
    "snapshot.declared": {"class_with_arguments": "class.with_arguments", "class_with_fields": "class.with_fields"},
    "snapshot.definitions.annotations": {"foreign_annotate": "foreign_annotate", "late_function": "late_function"},
    "snapshot.definitions.class_recipes": {
        "fill_enum": "enum.fill", "fill_namedtuple": "namedtuple.fill", "make_enum": "enum", "make_namedtuple": "namedtuple",
    },
    "snapshot.definitions.classes": {
        "fill_class": "class.fill", "make_class": "class", "type_of_interpreter": "type_of_interpreter",
    },
    "snapshot.definitions.foreign_functions": {"foreign_function": "foreign_function"},
    "snapshot.definitions.functions": {
        "build_function": "function", "build_generator_function": "generator_function", "fill_function": "function.fill",
    },
    "snapshot.definitions.type_parameters": {"late_alias": "late_alias", "late_variable": "late_variable"},
    "snapshot.incremental.segments": {"shared": "island"},
    "snapshot.iterators.builtin": {
        "LateIterator": "late_iterator", "SetIterator": "set_iterator", "restore_deque_iterator": "deque_iterator",
        "restore_dict_iterator": "dict_iterator", "restore_dict_view": "dict_view", "restore_list_iterator": "list_iterator",
        "restore_spent": "spent", "restore_spoilt": "spoilt",
    },
    "snapshot.iterators.combinatorics": {"restore_choices": "choices"},
    "snapshot.iterators.feeds": {"Exactly": "exactly", "Keyed": "keyed", "Prepended": "prepended.items", "Sized": "sized"},
    "snapshot.iterators.itertools_state": {
        "Batches": "batches", "never": "never", "put_old": "pairwise.old", "put_read": "groupby.read",
        "put_saved": "cycle.saved", "put_total": "accumulate.total", "restore_accumulate": "accumulate",
        "restore_batched": "batched", "restore_chain": "chain", "restore_group": "group", "restore_groupby": "groupby",
        "restore_left_group": "group.left", "restore_map": "map", "restore_over": "over", "restore_prepended": "prepended",
        "restore_reversed": "reversed", "restore_zip": "zip", "restore_zip_longest": "zip_longest",
        "set_total": "accumulate.set_total",
    },
    "snapshot.iterators.native_forms": {"itself": "itself"},
    "snapshot.iterators.tee": {"Tee": "tee", "TeeLink": "tee_link", "fill_link": "tee_link.fill"},
    "snapshot.module_data.by_name": {"resolve": "by_name", "resolve_or_none": "by_name_or_none"},
    "snapshot.module_data.decorated": {"fill_part": "by_name.fill_part"},
    "snapshot.module_data.process_state": {"set_first": "process_state.set_first"},
    "snapshot.reducers.async_files": {
        "fill_block": "async_file_block.fill", "fill_file": "async_file.fill", "restore_block": "async_file_block",
        "restore_file": "async_file",
    },
    "snapshot.reducers.buffers": {
        "restore_array_view": "array_view", "restore_error_settings": "numpy.errors", "restore_memoryview": "memoryview",
        "restore_memoryview_part": "memoryview.part", "restore_released_memoryview": "memoryview.released",
    },
    "snapshot.reducers.compressed": {
        "restore_compressed_closed": "compressed.closed", "restore_compressed_reader": "compressed.reader",
        "restore_compressed_writer": "compressed.writer",
    },
    "snapshot.reducers.context_variables": {"named_variable": "named_variable", "variable_at": "variable_at"},
    "snapshot.reducers.databases": {
        "restore_closed_connection": "closed_connection", "restore_closed_cursor": "closed_cursor", "restore_cursor": "cursor",
        "restore_row": "row",
    },
    "snapshot.reducers.enums": {"restore_flag": "enum.flag", "restore_member": "enum.member"},
    "snapshot.reducers.exceptions": {
        "fill_exception": "exception.fill", "restore_by_own": "exception.by_own", "restore_exception": "exception",
    },
    "snapshot.reducers.files": {
        "restore_buffer": "file.buffer", "restore_closed_raw": "file.closed_raw", "restore_raw": "file.raw",
        "restore_text": "file.text", "standard_stream": "standard_stream",
    },
    "snapshot.reducers.instances": {
        "Incomplete": "incomplete", "fill_container": "container.fill", "fill_instance": "instance.fill",
        "fill_slots": "instance.fill_slots", "new_by_own_new": "instance.by_own_new", "new_container": "container",
        "new_hashed": "instance.hashed",
        "new_instance": "instance", "new_value": "value",
    },
    "snapshot.reducers.module_objects": {"module_object": "module_object"},
    "snapshot.reducers.parsing": {
        "restore_csv_reader": "csv_reader", "restore_csv_writer": "csv_writer", "restore_json_scanner": "json_scanner",
        "restore_match": "match", "restore_template_iterator": "template_iterator",
    },
    "snapshot.reducers.primitives": {
        "fill_bound": "primitive.fill", "restore_bound": "primitive", "restore_condition": "condition",
    },
    "snapshot.reducers.process_objects": {
        "put_variables": "variables.put",
        "restore_decimal_context": "decimal_context", "restore_event": "thread_event", "restore_lock": "thread_lock",
        "restore_token": "token",
    },
    "snapshot.reducers.progress": {
        "fill_bar": "bar.fill", "fill_track_thread": "track_thread.fill", "restore_bar": "bar",
        "restore_track_thread": "track_thread",
    },
    "snapshot.reducers.scheduled": {"restore_job": "scheduled_job"},
    "snapshot.reducers.settings": {
        "_set_filters": "manager.set_filters", "_set_folder": "manager.set_folder", "_set_stream": "manager.set_stream",
        "fill_manager": "manager.fill", "restore_manager": "manager",
    },
    "snapshot.reducers.structs": {"fill_struct": "struct.fill", "new_struct": "struct.new", "restore_struct": "struct"},
    "snapshot.reducers.telemetry": {
        "restore_remote_span": "remote_span", "restore_span": "span", "restore_span_block": "span_block",
        "restore_span_call": "span_call", "restore_trace_context": "trace_context", "restore_tracer": "tracer",
    },
    "snapshot.reducers.tracebacks": {"restore_traceback": "traceback"},
    "snapshot.reducers.wrappers": {
        "fill_cell": "cell.fill", "fill_class_cell": "class_cell.fill", "fill_forward_reference": "forward_reference.fill",
        "fill_weak_dict": "weak_dict.fill", "fill_weak_set": "weak_set.fill", "restore_cache_key": "cache_key",
        "restore_cached_property": "cached_property", "restore_dead_reference": "dead_reference",
        "restore_forward_reference": "forward_reference", "restore_key": "key", "restore_local_sentinel": "local_sentinel",
        "restore_lru_cache": "lru_cache", "restore_partial_method": "partial_method", "restore_sentinel": "sentinel",
        "restore_type_alias": "type_alias", "restore_type_variable": "type_variable", "restore_union": "union",
    },
    "snapshot.reopened": {
        "reopened": "reopened", "reopened_by_function": "reopened.by_function", "reopened_part": "reopened.part",
    },
    "snapshot.tasks.contexts": {"fill_context": "context.fill", "new_context": "context", "no_context": "no_context"},
    "snapshot.tasks.foreign": {"begin_call": "call"},
    "snapshot.tasks.frames": {
        "_Next": "anext.step", "await_method": "await_method", "begin_anext": "anext", "begin_asend": "asend",
        "begin_athrow": "athrow", "build": "frame", "build_awaitable": "awaitable", "build_in_library": "frame_in_library",
        "build_unrewritten": "foreign_generator", "fill": "frame.fill", "fill_driven": "frame.fill_driven",
        "finished": "frame.ended",
    },
    "snapshot.tasks.futures": {
        "await_future": "future.await", "fill_handle": "handle.fill", "fill_own_future": "future.fill", "new_future": "future",
        "new_handle": "handle", "restore_future": "future.ended",
    },
    "snapshot.tasks.loops": {"instance_loop": "loop", "running_loop": "running_loop"},
    "snapshot.tasks.stacks": {"build_unchanged": "unchanged", "fill_unchanged": "unchanged.fill"},
    "snapshot.tasks.tasks": {"new_task": "task"},
    "snapshot.with_blocks.lost": {"lost": "lost", "lost_method": "lost_method"},
    "tags": {"Progress": "tags.progress"},
}  # fmt: skip

#: Modules of this package that frames and data in snapshots belong to: those whose code waits, and the standard streams.
MODULES = {
    "@earlier": f"{NAME}.pythons.earlier",
    "@events": f"{NAME}.aio.events",
    "@questions": f"{NAME}.aio.questions",
    "@process_state": f"{NAME}.snapshot.module_data.process_state",
    "@wait_again": f"{NAME}.aio.wait_again",
}

PUBLIC = (NAME, f"{NAME}.stores")  # what these give to all is known by its own name

_PLACES = {name: (f"{NAME}.{module}", attribute) for module, names in NAMES.items() for attribute, name in names.items()}
_NAMES = {place: name for name, place in _PLACES.items()}
_MODULE_NAMES = {module: name for name, module in MODULES.items()}
_references: dict[int, tuple[Any, Any]] = {}  # by id of what is named; the second is how it is pickled
CONSTANTS: set[int] = set()  # ids of what pickles have of this: the same objects in each, which never change


@cache
def registered(name: str) -> Any:
    """What a name in a snapshot stands for. Raises SnapshotFormatError if there is nothing of that name."""
    if name in _PLACES:
        module, attribute = place_today(*_PLACES[name])
        return reduce(getattr, attribute.split("."), import_module(module))
    for package in map(import_module, PUBLIC):
        if name in package.__all__:
            return getattr(package, name)
    raise SnapshotFormatError(
        f"the snapshot needs {name!r}, which this version of durable_import does not have: a later one has saved it. "
        "Install that version and resume again; the saved state is kept."
    )


CONSTANTS.add(id(registered))


def reference_to(thing: Any, place: tuple[str, str] | None = None) -> tuple[Any, tuple[str]]:
    """How a function or class of this package is pickled; ``place``: module and name of what has none by itself.

    Raises ``pickle.PicklingError`` for what snapshots have no name for.
    """
    known = _references.get(id(thing))
    if known is None:
        arguments = (_name_of(thing, place or (thing.__module__, thing.__qualname__)),)
        known = _references[id(thing)] = thing, (registered, arguments)
        CONSTANTS.update((id(thing), id(arguments)))
    return known[1]


def _name_of(thing: Any, place: tuple[str, str]) -> str:
    name = _NAMES.get(place)
    if name is None and any(place[1] in import_module(package).__all__ for package in PUBLIC):
        name = place[1]
    if name is None or registered(name) is not thing:
        raise pickle.PicklingError(
            f"{place[0]}.{place[1]} is internal to durable_import: it may be gone, or mean something else, in its next version. "
            "Look it up where it is used instead of keeping it in a variable"
        )
    return name


def is_ours(thing: Any) -> bool:
    """Whether a function or class is defined in this package, and no program's that is run from it."""
    return type(thing.__module__) is str and is_internal(thing.__module__)


def is_internal(module: str) -> bool:
    """Whether a module belongs to this package, and is none of those whose code is durable as a program's is."""
    return module.startswith(PREFIX) and module not in PROGRAM


def is_found_by_name(value: Any) -> bool:
    """Whether pickling by module and qualified name finds this very object."""
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    found: Any = module
    for part in value.__qualname__.split("."):
        found = _attribute(found, part)
        if found is None:
            return False
    return found is value


def _attribute(owner: Any, name: str) -> Any:
    """As getattr, or None; but of a class no descriptor is called, which may be one of the program's and do what it likes."""
    if not isinstance(owner, type):
        return getattr(owner, name, None)
    found = next((vars(base)[name] for base in owner.__mro__ if name in vars(base)), None)
    return found.__func__ if type(found) is staticmethod else found


def find_former(module: str, name: str) -> Any:
    """What format 4 called by a module of this package. Raises SnapshotFormatError for what it never did."""
    found = FORMER.get(module, {}).get(name)
    if found is None:
        raise SnapshotFormatError(f"the snapshot names {module}.{name}, which no version of durable_import has saved like that")
    return registered(found)


def module_name(module: str) -> str:
    """How snapshots call a module that a frame or data belong to."""
    return _MODULE_NAMES.get(module, module)


def module_today(name: str) -> str:
    """The module that snapshots call by a name."""
    return MODULES.get(FORMER_MODULES.get(name, name), name)
