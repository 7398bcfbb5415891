"""What the finders behind one in ``sys.meta_path`` find: for one that changes what others find, or watches it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class FindersBehind:
    """Those behind ``finder``, which are asked in their order, as the import system would. What is imported here is at once."""

    def __init__(self, finder: Any) -> None:
        self._finder = finder
        self._searching = threading.local()

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Their first answer; None if one of them asks for the same again, of all of ``sys.meta_path``."""
        names: set[str] = self._searching.__dict__.setdefault("names", set())
        if fullname in names:
            return None
        names.add(fullname)
        try:
            return self._find(fullname, path, target)
        finally:
            names.discard(fullname)

    def _find(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        finders: list[Any] = list(sys.meta_path)  # a copy: finders may come and go meanwhile
        behind = finders[finders.index(self._finder) + 1 :] if self._finder in finders else finders
        for finder in behind:
            find_spec = getattr(finder, "find_spec", None)
            if find_spec is None:  # before 3.12 the import system asks such finders in its own way
                return None
            spec: ModuleSpec | None = find_spec(fullname, path, target)
            if spec is not None:
                return spec
        return None
