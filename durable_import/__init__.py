"""Plain Python that survives: asyncio programs that go on after ``kill -9``, a reboot or a deploy.

A module that begins with the comment ``# durable: on`` is rewritten as it is imported; under a runtime every await in it is
a checkpoint.
"""

from typing import TYPE_CHECKING

from .errors import (
    AlreadyDurableException,
    CheckpointException,
    CodeChangedError,
    DataChangedError,
    DurableError,
    FencedError,
    HoldLimitError,
    InstanceBusyError,
    InstanceCancelledError,
    InstanceFailedError,
    InstanceFinishedError,
    InstanceMismatchError,
    InstanceStuckError,
    InstanceSuspendedError,
    KeyConflictError,
    MissingCodeError,
    MissingDriverError,
    MissingKeyError,
    NoSourceCodeException,
    NotDurableError,
    OwnershipError,
    PauseForEventException,
    RanAfterFailureError,
    SnapshotAuthenticationError,
    SnapshotError,
    SnapshotFormatError,
    StateLostError,
    StoreError,
    StoreRefusedError,
    StoreUnavailableError,
    UnknownInstanceError,
    UnknownStoreError,
    UnsavableStateError,
    UnsupportedPythonError,
    UnsupportedSyntaxError,
)
from .frames import intrinsics as _intrinsics
from .hook.install import install, uninstall
from .late import late_names

if TYPE_CHECKING:
    from .aio.attempt import attempt
    from .aio.events import wait_for_event
    from .aio.labels import progress, set_tag
    from .aio.questions import on_ask, questions
    from .aio.step_key import step_key
    from .api.connection import connect
    from .api.current import current_instance, current_runtime
    from .api.handle import InstanceHandle
    from .api.runtime import DurableRuntime
    from .compat.backend import DurableBackend
    from .compat.call_stack import CallStack, CodeBlock, FunctionCall
    from .compat.program import DurableProgram, make_durable
    from .compat.transformer import DurableAstTransformer, transform_to_durable_ast
    from .explanation.points import Explanation, Point, explain
    from .holds.kinds import reopenable, saved
    from .stores.backend import OrchestrationBackend
    from .stores.base import StateStore
    from .stores.disk.store import DiskStateStore
    from .stores.memory import InMemoryStateStore
    from .stores.state import InstanceQuery
    from .upgrades.policies import on_change
    from .upgrades.renames import renamed

__version__ = "0.1.0"

_intrinsics.provide()

_LATE = {  # loaded when first asked for: importing a rewritten module needs none of it
    "CallStack": "compat.call_stack",
    "CodeBlock": "compat.call_stack",
    "DiskStateStore": "stores.disk.store",
    "DurableAstTransformer": "compat.transformer",
    "DurableBackend": "compat.backend",
    "DurableProgram": "compat.program",
    "DurableRuntime": "api.runtime",
    "Explanation": "explanation.points",
    "FunctionCall": "compat.call_stack",
    "InMemoryStateStore": "stores.memory",
    "InstanceHandle": "api.handle",
    "InstanceQuery": "stores.state",
    "StateStore": "stores.base",
    "attempt": "aio.attempt",
    "connect": "api.connection",
    "current_instance": "api.current",
    "current_runtime": "api.current",
    "OrchestrationBackend": "stores.backend",
    "Point": "explanation.points",
    "explain": "explanation.points",
    "make_durable": "compat.program",
    "on_ask": "aio.questions",
    "on_change": "upgrades.policies",
    "renamed": "upgrades.renames",
    "progress": "aio.labels",
    "questions": "aio.questions",
    "reopenable": "holds.kinds",
    "saved": "holds.kinds",
    "set_tag": "aio.labels",
    "step_key": "aio.step_key",
    "transform_to_durable_ast": "compat.transformer",
    "wait_for_event": "aio.events",
}

__all__ = [
    "AlreadyDurableException", "CallStack", "CheckpointException", "CodeBlock", "CodeChangedError", "DataChangedError",
    "DiskStateStore", "DurableAstTransformer", "DurableBackend", "DurableError", "DurableProgram", "DurableRuntime",
    "Explanation", "FencedError", "FunctionCall", "HoldLimitError", "InMemoryStateStore", "InstanceBusyError",
    "InstanceCancelledError", "InstanceFailedError", "InstanceFinishedError", "InstanceHandle", "InstanceMismatchError",
    "InstanceQuery", "InstanceStuckError", "InstanceSuspendedError", "KeyConflictError", "MissingCodeError",
    "MissingDriverError", "MissingKeyError", "NoSourceCodeException", "NotDurableError", "OrchestrationBackend",
    "OwnershipError", "PauseForEventException", "Point", "RanAfterFailureError", "SnapshotAuthenticationError", "SnapshotError",
    "SnapshotFormatError", "StateLostError", "StateStore", "StoreError", "StoreRefusedError", "StoreUnavailableError",
    "UnknownInstanceError", "UnknownStoreError", "UnsavableStateError", "UnsupportedPythonError", "UnsupportedSyntaxError",
    "attempt", "connect", "current_instance", "current_runtime", "explain", "install", "make_durable", "on_ask", "on_change",
    "progress", "questions", "renamed", "reopenable", "saved", "set_tag", "step_key", "transform_to_durable_ast",
    "uninstall", "wait_for_event",
]  # fmt: skip

if not TYPE_CHECKING:  # who know the names from the imports above, and no others
    __getattr__, __dir__ = late_names(__name__, _LATE)
