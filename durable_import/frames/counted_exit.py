"""Exit methods of ``with`` blocks that somebody counts while they are open."""

from __future__ import annotations

from pickle import PicklingError
from types import CoroutineType
from typing import Any, Protocol

from .hiding import hidden_from_tracebacks
from .lookup import is_awaitable


class Block(Protocol):
    """A ``with`` block; each of these may be told more than once."""

    def is_entered(self) -> None:
        """It is open."""
        ...

    def is_leaving(self, coroutine: CoroutineType[Any, Any, Any]) -> None:
        """It is left once this coroutine has ended."""
        ...

    def is_left(self) -> None:
        """It is open no more."""
        ...

    def is_spent(self) -> bool:
        """Whether leaving it does nothing any more."""
        ...

    def may_be_saved(self) -> bool:
        """Whether its manager, and with it the exit method, may be saved although it is open."""
        ...


class CountedExit:
    """The bound exit method ``leave`` of a block; calling it, and dropping it, tells the block."""

    __slots__ = ("block", "is_async", "leave")

    def __init__(self, block: Block, leave: Any, *, is_async: bool) -> None:
        self.block = block
        self.leave = leave
        self.is_async = is_async

    @hidden_from_tracebacks
    def __call__(self, *details: Any) -> Any:
        awaitable = None
        try:
            awaitable = self.leave(*details)
            if self.is_async and type(awaitable) is not CoroutineType and is_awaitable(awaitable):
                awaitable = _awaiting(awaitable)
            return awaitable
        finally:
            if self.is_async and type(awaitable) is CoroutineType:
                self.block.is_leaving(awaitable)
            else:
                self.block.is_left()

    def __reduce__(self) -> Any:
        raise PicklingError(f"the exit method of a block that is open: {self.leave!r}")

    def __del__(self) -> None:
        self.block.is_left()


async def _awaiting(awaitable: Any) -> Any:
    """Tells when it has ended, as coroutines do."""
    return await awaitable
