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
    InstanceMismatchError,
    MissingCodeError,
    MissingDriverError,
    MissingKeyError,
    NoSourceCodeException,
    OwnershipError,
    PauseForEventException,
    SnapshotAuthenticationError,
    SnapshotError,
    SnapshotFormatError,
    StoreError,
    StoreUnavailableError,
    UnknownStoreError,
    UnsavableStateError,
    UnsupportedSyntaxError,
)
from .frames import intrinsics as _intrinsics
from .rewrite.install import install, uninstall

if TYPE_CHECKING:
    from .backends.base import OrchestrationBackend
    from .backends.durable import DurableBackend
    from .backends.program import DurableProgram, make_durable
    from .rewrite.explain import Explanation, Point, explain
    from .rewrite.transformer import DurableAstTransformer, transform_to_durable_ast
    from .runtime.call_stack import CallStack, CodeBlock, FunctionCall
    from .runtime.runtime import DurableRuntime
    from .scheduling.events import wait_for_event
    from .scheduling.steps import step_key
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
    "OrchestrationBackend": "backends.base",
    "Point": "rewrite.explain",
    "StateStore": "stores.base",
    "explain": "rewrite.explain",
    "make_durable": "backends.program",
    "step_key": "scheduling.steps",
    "transform_to_durable_ast": "rewrite.transformer",
    "wait_for_event": "scheduling.events",
}

__all__ = [
    "AlreadyDurableException", "CallStack", "CheckpointException", "CodeBlock", "CodeChangedError", "DiskStateStore",
    "DurableAstTransformer", "DurableBackend", "DurableError", "DurableProgram", "DurableRuntime", "Explanation", "FencedError",
    "FunctionCall", "InMemoryStateStore", "InstanceBusyError", "InstanceMismatchError", "MissingCodeError",
    "MissingDriverError", "MissingKeyError", "NoSourceCodeException", "OrchestrationBackend", "OwnershipError",
    "PauseForEventException", "Point", "SnapshotAuthenticationError", "SnapshotError", "SnapshotFormatError", "StateStore",
    "StoreError", "StoreUnavailableError", "UnknownStoreError", "UnsavableStateError", "UnsupportedSyntaxError",
    "explain", "install", "make_durable", "step_key", "transform_to_durable_ast", "uninstall", "wait_for_event",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_LATE[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE})
