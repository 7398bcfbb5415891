"""Code that was not rewritten when it was imported, known as if it had been: for generators of libraries, in the middle.

The source of the module is compiled once more as it is. Only a function for which that gives the very code that runs is
found: then a place of the rewritten function is the same place of the one that runs. Nothing of the module changes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import CodeType

from ..errors import CodeChangedError, MissingCodeError
from ..pythons.codes import nested_codes, silent
from ..rewrite.compiler import compile_module
from .code_table import CodeInfo, ModuleInfo, import_needed
from .live_code import places_by_code, source_of


@dataclass(frozen=True)
class UnrewrittenModule:
    """A module: its functions by place, and the places of the code objects as they run."""

    info: ModuleInfo
    places: dict[CodeType, str]

    def info_of(self, code: CodeType) -> CodeInfo | None:
        """What is known of code that runs; None if it is not what the source gives."""
        place = self.places.get(code)
        return None if place is None else self.info.by_place.get(place)


_known: dict[str, UnrewrittenModule | None] = {}


def unrewritten_module(name: str) -> UnrewrittenModule | None:
    """An imported module; None if it has no source, or one that cannot be rewritten."""
    if name not in _known:
        module = sys.modules.get(name)
        source = source_of(module) if module is not None else None
        try:
            _known[name] = None if source is None else _read_module(name, *source)
        except Exception:  # whatever a library's source has that the rewriter does not take: its code just is not found
            _known[name] = None
    return _known[name]


def find_unrewritten(name: str, place: str, digest: str) -> CodeInfo:
    """The function at a place of a module today. Raises MissingCodeError or CodeChangedError."""
    import_needed(name)
    found = unrewritten_module(name)
    info = found.info.by_place.get(place) if found is not None else None
    if info is None:
        raise MissingCodeError(
            f"the saved state is in the middle of the generator {place!r} of module {name!r}, which is no longer there. "
            "Install the version that the state was saved with; the saved state is kept."
        )
    if info.digest != digest:
        raise CodeChangedError(
            f"{info.module.path}:{info.code.co_firstlineno}: the saved state is in the middle of the generator {place!r}, whose "
            "code is another one here. Install the version that the state was saved with (of Python, for its standard "
            "library); the saved state is kept.",
            filename=info.module.path,
            lineno=info.code.co_firstlineno,
            function=place,
            digest=digest,
        )
    return info


def _read_module(name: str, source: bytes, path: str) -> UnrewrittenModule:
    places = places_by_code(source, path)
    with silent():
        rewritten = compile_module(source, path, name)
    info = ModuleInfo(name, path, source, flags=rewritten.code.co_flags, is_unrewritten=True)
    for code, row in zip(nested_codes(rewritten.code), rewritten.table, strict=True):
        if row is not None:
            info.by_place.setdefault(row[0], CodeInfo(code, info, *row))
    return UnrewrittenModule(info, places)
