"""The outermost coroutine of an instance: the call that it comes from, and how it is made without being taken for an instance."""

from __future__ import annotations

from collections.abc import Callable
from types import CellType, FrameType, FunctionType
from typing import Any

from ...errors import NotDurableError, UnsupportedSyntaxError
from ...frames import ambient
from ...frames.capture import FRAME_TYPES, parts_of
from ...frames.restart import arguments_of, durable_form
from ...hook.code_table import info_of
from ..validation import why_not_durable
from .records import Call


def call_of(frame: FrameType, cells: dict[str, CellType]) -> tuple[FunctionType, list[Any], dict[str, Any]]:
    """The call that a frame which has just been entered came from: function, positional and keyword arguments."""
    code = frame.f_code
    info = info_of(code)
    assert info is not None
    closure = tuple(cells[name] for name in code.co_freevars)
    function = FunctionType(info.durable or code, frame.f_globals, code.co_name, None, closure)
    return function, *arguments_of(code, frame.f_locals)


def make_root(call: Call, instance_id: str) -> Any:
    """The coroutine of a call. Raises NotDurableError if its code is not rewritten, and what the call raises."""
    made = without_instance(lambda: call.function(*call.arguments, **call.keywords))
    try:
        made = durable_form(made)
    except UnsupportedSyntaxError:
        made.close()
        raise
    if isinstance(made, FRAME_TYPES) and info_of(parts_of(made).code) is not None:
        return made
    why = why_not_durable(made)
    if hasattr(made, "close"):
        made.close()
    what = f"{call.name} of module {getattr(call.function, '__module__', '?')!r}"
    raise NotDurableError(f"{what} cannot run as instance {instance_id!r}: it gave {why}")


def without_instance(make: Callable[[], Any]) -> Any:
    """What ``make`` gives: a coroutine that does not begin an instance when it is awaited."""
    token = ambient.current_driver.set(_NOT_OUTERMOST)
    try:
        return make()
    finally:
        ambient.current_driver.reset(token)


class _Placeholder:
    """Stands for a driver while the outermost coroutine is being made, so that it does not become an instance again."""

    def step(self, awaitable: Any) -> Any:
        return awaitable

    def delegates(self, iterator: Any, generator: FrameType) -> Any:  # noqa: ARG002  the protocol's signature
        return iterator

    def enters(self) -> None:
        return

    def pauses(self, exception: Any) -> None:  # noqa: ARG002  the protocol's signature
        return

    def exit_of(self, manager: Any, leave: Any, frame: FrameType, *, is_async: bool) -> Any:  # noqa: ARG002
        return leave

    def owes(self) -> bool:
        return False

    def commit_point(self) -> Any:
        raise NotImplementedError("nothing is owed while a coroutine is being made")

    def wants_announcement(self, step: Any) -> bool:  # noqa: ARG002  the protocol's signature
        return False

    def step_goes_on(self, step: Any) -> None:  # noqa: ARG002  the protocol's signature
        return

    def step_rests(self, step: Any, token: Any) -> None:  # noqa: ARG002  the protocol's signature
        return


_NOT_OUTERMOST = _Placeholder()
