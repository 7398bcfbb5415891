"""The runtime and the instance that the running code belongs to."""

from __future__ import annotations

from typing import Any

from ..frames import ambient
from .handle import InstanceHandle
from .runtime import DurableRuntime
from .set_going import running_instance


def current_runtime() -> DurableRuntime | None:
    """The runtime that is ambient here, if any."""
    runtime = ambient.find_runtime()
    assert runtime is None or isinstance(runtime, DurableRuntime)
    return runtime


def current_instance() -> InstanceHandle[Any] | None:
    """The instance that the running code belongs to, if any; in code called by it as well."""
    instance_id = running_instance()
    runtime = current_runtime()
    return InstanceHandle(runtime, instance_id) if runtime is not None and instance_id is not None else None
