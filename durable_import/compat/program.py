"""Functions made durable one by one, and called with a backend."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import uuid
import weakref
from collections.abc import Awaitable, Callable
from types import FunctionType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from ..aio.foreign_calls import ask_when
from ..aio.running_step import running_step
from ..aio.standard import make_asyncio_durable
from ..api.runtime import DurableRuntime
from ..api.set_going import begins_unnamed, id_from_step
from ..errors import AlreadyDurableException, NoSourceCodeException
from ..frames import ambient
from ..hook.in_place import rewrite_function
from ..hook.live_code import functions_behind
from ..stores.backend import OrchestrationBackend
from .backend import DurableBackend
from .call_stack import FunctionCall
from .shared_runtime import run

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")

_made: weakref.WeakSet[FunctionType] = weakref.WeakSet()


class DurableProgram(Generic[P, R]):
    """A durable function that is called with a backend; otherwise it looks like the function, ``fn``.

    ``DurableProgram[P, R]``: ``P`` are the function's parameters, ``R`` is what awaiting its call gives.
    """

    __name__: str
    __qualname__: str

    def __init__(self, fn: Callable[P, Awaitable[R]]) -> None:
        functools.update_wrapper(self, fn)
        self.fn: Callable[P, Awaitable[R]] = fn

    @overload
    def __call__(
        self, *args: Any, orchestration_backend: OrchestrationBackend, instance_id: str | None = None, **kwargs: Any
    ) -> Awaitable[R]: ...
    @overload
    def __call__(
        self, *args: Any, orchestration_backend: OrchestrationBackend | None = None, instance_id: str | None, **kwargs: Any
    ) -> Awaitable[R]: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Awaitable[R]: ...
    def __call__(self, *args: Any, orchestration_backend: Any = None, instance_id: Any = None, **kwargs: Any) -> Awaitable[R]:
        """Run the function with these arguments as the instance ``instance_id``: begin it, or go on with it.

        Its state and its events are kept by ``orchestration_backend``; without one by the ambient runtime, without that in
        memory. Without an id it is an instance with a new one, which for a call of an instance is the same after a crash. Called
        by durable code, with neither, it is a call like any other, and part of the instance of its caller. Raises what
        ``DurableRuntime.run`` does, PauseForEventException among that: with the same id it goes on when the event has been
        published.
        """
        is_inside = ambient.current_driver.get() is not None
        if orchestration_backend is None and instance_id is None and is_inside:
            return self.fn(*args, **kwargs)
        if is_inside:
            return self.run_outside(orchestration_backend, instance_id, args, kwargs)
        return self._run(orchestration_backend, instance_id or str(uuid.uuid4()), args, kwargs)

    async def run_outside(
        self, backend: OrchestrationBackend | None, instance_id: str | None, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Run an instance as one step of another, in a context that knows nothing of that."""
        name = instance_id or id_from_step(bytes) or str(uuid.uuid4())
        context = contextvars.copy_context()
        context.run(ambient.current_driver.set, None)
        context.run(running_step.set, None)
        running = self._run(backend, name, args, kwargs)
        return await asyncio.get_running_loop().create_task(running, context=context)

    async def _run(
        self, backend: OrchestrationBackend | None, instance_id: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        runtime = ambient.find_runtime() if backend is None else None
        if isinstance(runtime, DurableRuntime):
            return await runtime.run(self.fn, *args, instance_id=instance_id, **kwargs)
        return await run(backend or DurableBackend(), self.fn, args, kwargs, instance_id)

    def create_call(self, *args: P.args, **kwargs: P.kwargs) -> FunctionCall:
        """A call of the function that has not begun, for a ``CallStack``."""
        return FunctionCall(self.fn, dict(kwargs), args=args)

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> DurableProgram[P, R]: ...
    @overload
    def __get__(
        self: DurableProgram[Concatenate[Any, Q], R], instance: object, owner: type | None = None
    ) -> DurableProgram[Q, R]: ...
    def __get__(self, instance: Any, owner: type | None = None) -> DurableProgram[..., R]:
        """As functions are: bound, when it is a method."""
        fn: Any = self.fn
        return self if instance is None else DurableProgram(fn.__get__(instance, owner))

    def __reduce__(self) -> tuple[Any, ...]:
        return DurableProgram, (self.fn,)

    def __repr__(self) -> str:
        return f"<DurableProgram of {self.fn!r}>"

    def __getattr__(self, name: str) -> Any:
        if name in _OF_FUNCTIONS and "fn" in self.__dict__:  # so that ``inspect`` takes it for one
            return getattr(self.fn, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


ask_when(DurableProgram.run_outside, begins_unnamed)

_OF_FUNCTIONS = ("__code__", "__defaults__", "__kwdefaults__", "__annotations__")


def make_durable(function: Callable[P, Awaitable[R]]) -> DurableProgram[P, R]:
    """Make an async function durable, as it stands in a module that is not marked.

    Its module is rewritten in place: the functions, methods and closures of the module that it reaches become durable with
    it, and stay the same objects. If it is decorated, so are the modules of its decorators. Functions of marked modules are
    durable already; they are just given the way to be called with a backend.

    Raises AlreadyDurableException if the function was made durable before, NoSourceCodeException if it has no source that can
    be found, UnsupportedSyntaxError if that cannot be rewritten, and TypeError for what is no async function.
    """
    if isinstance(function, DurableProgram) or (isinstance(function, FunctionType) and function in _made):
        name = getattr(function, "__qualname__", repr(function))
        raise AlreadyDurableException(f"{name} is durable already: use what make_durable() gave for it before")
    functions = list(functions_behind(function))
    if not functions:
        raise NoSourceCodeException(f"{function!r} cannot be made durable: it is not written in Python, so it has no source")
    if not any(inspect.iscoroutinefunction(each) for each in functions):
        what = "a lambda, which cannot await" if functions[0].__name__ == "<lambda>" else "not an async function"
        kind = NoSourceCodeException if functions[0].__name__ == "<lambda>" else TypeError
        raise kind(f"{functions[0].__qualname__} cannot be made durable: it is {what}. Write it with `async def`")
    make_asyncio_durable()  # what decorators of the standard library wait in
    for each in functions:
        rewrite_function(each)
    if isinstance(function, FunctionType):
        _made.add(function)
    return DurableProgram(function)
