"""The source text of saved frames' functions: kept once each, so that a change of code can be shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from ..errors import CodeChangedError, StoreError
from ..hook.code_table import MODULES, CodeInfo, source_of
from ..stores.store import Store

OnChange: TypeAlias = Literal["move", "refuse"]  # what becomes of frames whose code has changed


class Sources:
    """Saves and compares sources, if the store keeps them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._saved: set[str] = set()

    async def save(self, functions: Iterable[CodeInfo]) -> None:
        """Keep the source of each function that was not kept yet."""
        for info in functions:
            if info.digest not in self._saved:
                await self._store.save_source(info.digest, source_of(info))
                self._saved.add(info.digest)

    def has(self, functions: Iterable[CodeInfo]) -> bool:
        """Whether the source of each function is kept already, or is not going to be."""
        return all(info.digest in self._saved for info in functions)

    async def load(self, digest: str) -> str | None:
        """The text of a function as it was when the state was saved; None if it is not kept. Raises StoreError."""
        return await self._store.load_source(digest)

    async def difference(self, error: CodeChangedError) -> str:
        """What has changed in the function that an error is about, as a unified diff."""
        try:
            old = await self._store.load_source(error.digest)
        except (StoreError, OSError) as unread:
            return f"The code as it was when the state was saved could not be read: {unread}"
        if not old:
            return "The code as it was when the state was saved is not kept by this store."
        import difflib  # rarely needed

        module = next((m for m in MODULES.values() if m.path == error.filename and error.function in m.by_place), None)
        new = source_of(module.by_place[error.function]) if module is not None else ""
        lines = difflib.unified_diff(
            old.splitlines(), new.splitlines(), f"{error.function} as saved", f"{error.function} today", lineterm="", n=2
        )
        return "\n".join(lines)
