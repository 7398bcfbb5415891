"""Plain Python that survives: asyncio programs that go on after ``kill -9``, a reboot or a deploy.

A module that begins with the comment ``# durable: on`` is rewritten as it is imported; under a runtime every await in it is
a checkpoint.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import (
    AlreadyDurableException,
    CheckpointException,
    CodeChangedError,
    DurableError,
    FencedError,
    InstanceBusyError,
    InstanceCancelledError,
    InstanceFailedError,
    InstanceFinishedError,
    InstanceMismatchError,
    InstanceSuspendedError,
    MissingCodeError,
    MissingDriverError,
    MissingKeyError,
    NoSourceCodeException,
    NotDurableError,
    OwnershipError,
    PauseForEventException,
    SnapshotAuthenticationError,
    SnapshotError,
    SnapshotFormatError,
    StoreError,
    StoreUnavailableError,
    UnknownInstanceError,
    UnknownStoreError,
    UnsavableStateError,
    UnsupportedPythonError,
    UnsupportedSyntaxError,
)
from .frames import intrinsics as _intrinsics
from .pythons.support import tried
from .rewrite.install import install, uninstall

if TYPE_CHECKING:
    from .backends.durable import DurableBackend
    from .backends.program import DurableProgram, make_durable
    from .rewrite.explain import Explanation, Point, explain
    from .rewrite.transformer import DurableAstTransformer, transform_to_durable_ast
    from .runtime.call_stack import CallStack, CodeBlock, FunctionCall
    from .runtime.current import current_instance, current_runtime
    from .runtime.handle import InstanceHandle
    from .runtime.runtime import DurableRuntime
    from .scheduling.events import wait_for_event
    from .scheduling.steps import step_key
    from .stores.backend import OrchestrationBackend
    from .stores.base import StateStore
    from .stores.disk import DiskStateStore
    from .stores.memory import InMemoryStateStore

_intrinsics.provide()

_LATE = {  # loaded when first asked for: importing a rewritten module needs none of it
    "CallStack": "runtime.call_stack",
    "CodeBlock": "runtime.call_stack",
    "DiskStateStore": "stores.disk",
    "DurableAstTransformer": "rewrite.transformer",
    "DurableBackend": "backends.durable",
    "DurableProgram": "backends.program",
    "DurableRuntime": "runtime.runtime",
    "Explanation": "rewrite.explain",
    "FunctionCall": "runtime.call_stack",
    "InMemoryStateStore": "stores.memory",
    "InstanceHandle": "runtime.handle",
    "StateStore": "stores.base",
    "current_instance": "runtime.current",
    "current_runtime": "runtime.current",
    "OrchestrationBackend": "stores.backend",
    "Point": "rewrite.explain",
    "explain": "rewrite.explain",
    "make_durable": "backends.program",
    "step_key": "scheduling.steps",
    "transform_to_durable_ast": "rewrite.transformer",
    "wait_for_event": "scheduling.events",
}

__all__ = [
    "AlreadyDurableException", "CallStack", "CheckpointException", "CodeBlock", "CodeChangedError", "DiskStateStore",
    "DurableAstTransformer", "DurableBackend", "DurableError", "DurableProgram", "DurableRuntime", "Explanation",
    "FencedError", "FunctionCall", "InMemoryStateStore", "InstanceBusyError", "InstanceCancelledError",
    "InstanceFailedError", "InstanceFinishedError", "InstanceHandle", "InstanceMismatchError", "InstanceSuspendedError",
    "MissingCodeError", "MissingDriverError", "MissingKeyError", "NoSourceCodeException", "NotDurableError",
    "OrchestrationBackend", "OwnershipError", "PauseForEventException", "Point", "SnapshotAuthenticationError",
    "SnapshotError", "SnapshotFormatError", "StateStore", "StoreError", "StoreUnavailableError", "UnknownInstanceError",
    "UnknownStoreError", "UnsavableStateError", "UnsupportedPythonError", "UnsupportedSyntaxError", "current_instance",
    "current_runtime", "explain", "install", "make_durable", "step_key", "transform_to_durable_ast", "uninstall",
    "wait_for_event",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with tried(f"import of {_LATE[name]}"):
        value = globals()[name] = getattr(import_module(f".{_LATE[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE})
