"""The ambient state: whether any runtime exists, and the instance that the running code belongs to."""

from __future__ import annotations

from contextvars import ContextVar
from types import CellType, FrameType
from typing import Any, Protocol

from ..hook.code_table import PLAIN
from ..hook.switch import ON, STRICT

__all__ = [
    "ON", "STRICT", "AmbientRuntime", "Driver", "current_driver", "current_runtime", "default_runtime", "find_runtime",
    "switch_on",
]  # fmt: skip


class Driver(Protocol):
    """What rewritten code and its steps need of the instance that they belong to."""

    def step(self, awaitable: Any) -> Any:
        """Wrap an awaitable of foreign code so that its completion is a checkpoint; frames come back as they are."""
        ...

    def delegates(self, iterator: Any, generator: FrameType) -> Any:
        """The same for the iterator that the frame of a generator is about to delegate to: if it is part of an await."""
        ...

    def enters(self) -> bool | None:
        """A rewritten coroutine begins, in a task of the instance or in a native one that the program has made.

        True: code that is not durable has called it, so it is part of a step or none of the instance's.
        """
        ...

    def pauses(self, exception: Any) -> Any:
        """For an exception that a program raises to pause: the awaitable of the pause, or None if it is to be raised."""
        ...

    def exit_of(self, manager: Any, leave: Any, frame: FrameType, *, is_async: bool) -> Any:
        """The exit method of a ``with`` block that ``frame`` is about to enter: ``leave``, or a ``CountedExit`` of it."""
        ...

    def owes(self) -> bool:
        """Whether a commit was put off that can be made now, where the code that asks is able to wait for it."""
        ...

    def commit_point(self) -> Any:
        """A step without effect."""
        ...

    def wants_announcement(self, step: Any) -> bool:
        """Whether something has to be committed before this step may begin."""
        ...

    def step_goes_on(self, step: Any) -> Any:
        """From now on foreign code runs; rewritten code that it calls is part of the step. The result is for the next."""
        ...

    def step_rests(self, step: Any, token: Any) -> None:
        """The foreign code waits for something, or has ended."""
        ...


class AmbientRuntime(Protocol):
    """What rewritten code needs of a runtime."""

    def can_begin(self, frame: FrameType) -> bool:
        """Whether the function of a frame that has just been entered can become an instance here: in an event loop it can."""
        ...

    def begin(self, frame: FrameType, cells: dict[str, CellType]) -> Any:
        """An awaitable that runs the function of a frame that has just been entered, with its arguments, as an instance.

        ``cells``: those of its free variables.
        """
        ...


current_driver: ContextVar[Driver | None] = ContextVar("durable_import.current_driver", default=None)
current_runtime: ContextVar[AmbientRuntime | None] = ContextVar("durable_import.current_runtime", default=None)
default_runtime: list[AmbientRuntime] = []  # of the process, where no context has one


def switch_on(runtime: Any) -> None:
    """From now on there is this runtime; ``ON.remove`` undoes that. What runs in its plain variant gets the fast one."""
    if PLAIN:
        from ..hook.exchange import exchange  # what runs without a runtime does not need it

        exchange()
    ON.append(runtime)


def find_runtime() -> AmbientRuntime | None:
    """The runtime of the context, else that of the process."""
    runtime = current_runtime.get()
    if runtime is None and default_runtime:
        runtime = default_runtime[-1]
    return runtime
