"""Beginning instances by HTTP: only those of functions that the application has named, in the runtime that it has given."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ..api.documents import document_of
from ..errors import DurableError

if TYPE_CHECKING:
    from ..api.runtime import DurableRuntime

Function: TypeAlias = Callable[..., Awaitable[Any]]

FIELDS: Mapping[str, Any] = {"function": None, "arguments": [], "keywords": {}, "id": None, "tags": {}}


class NothingStartsError(DurableError):
    """The page is mounted without functions that it may start."""


@dataclass(frozen=True)
class Starter:
    """``functions``: what may be begun, by the names that programs give."""

    runtime: DurableRuntime | None = None
    functions: Mapping[str, Function] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.functions and self.runtime is None:
            raise ValueError("who is to run the functions? Give runtime=, too")

    async def start(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Begin an instance, or join the one of that id. Raises ValueError for what cannot be begun, NothingStartsError, and what
        ``DurableRuntime.start`` raises."""
        name, arguments, keywords, instance_id, tags = (sent[each] for each in FIELDS)
        if self.runtime is None:
            raise NothingStartsError(
                "nothing is started here: mount it with app(..., runtime=runtime, functions={'order': order})"
            )
        if not isinstance(name, str) or name not in self.functions:
            raise ValueError(f"there is no function {name!r} to start, but {', '.join(sorted(self.functions))}")
        if not isinstance(arguments, list) or not isinstance(keywords, dict):
            raise ValueError("arguments are an array, and keywords an object")
        function = self.functions[name]
        try:
            inspect.signature(function).bind(*arguments, **keywords)
            handle = await self.runtime.options(instance_id=instance_id, tags=tags).start(function, *arguments, **keywords)
        except TypeError as error:
            raise ValueError(f"{name!r} cannot be started so: {error}") from error
        return document_of(await self.runtime.summary_of(handle.id))
