"""Functions that have other names today, and functions in which others are called by other names, as the program has said.

What differs from what was saved in such names alone has not changed: its frames go on as if nothing had happened.
"""

from __future__ import annotations

from ..errors import MissingCodeError
from ..hook.code_table import MODULES, CodeInfo, find
from ..upgrades.renames import former_names, line_for_module, missing_module, new_place, said
from .names import module_today


def place_today(module: str, place: str) -> tuple[str, str]:
    """Module and place today of a function: the same if it is there, or if nothing else was said."""
    module = module_today(module)
    today = new_place(module, place)
    if today == (module, place):
        return today
    try:
        find(module, place)
    except MissingCodeError:
        return today
    return module, place


def same_but_for_names(module: str, place: str, digest: str | None) -> CodeInfo | None:
    """The function at a place of today, with another digest, if it differs from the one that had it in names alone."""
    return differing_in_names(find(module, place), digest) if said() and digest is not None else None


def differing_in_names(info: CodeInfo, digest: str) -> CodeInfo | None:
    """A function of today, with the digest given, if it differs from the one that had it only in names that were said."""
    from .renamed_text import digest_with  # which loads the rewriter

    if digest_with(info, former_names()) != digest:
        return None
    return CodeInfo(info.code, info.module, info.place, digest, info.suspensions, info.awaited)


def itself(info: CodeInfo) -> CodeInfo:
    """The function of today for what ``same_but_for_names`` gives."""
    return info if info.module.version else info.module.by_place.get(info.place, info)


def missing_function(module: str, place: str, digest: str | None, error: MissingCodeError) -> MissingCodeError:
    """The error for a function that is not there; with the line that says what it is called now, if there is one like it."""
    missing = missing_module(module, error.__cause__)
    if missing:
        return MissingCodeError(f"{error} If it has another name today, say so: {line_for_module(module, missing)}")
    parts = place.split(".")
    if not all(part.isidentifier() for part in parts):
        return error  # one inside of another is a variable of that
    alike = _places_alike(module, parts[-1], digest) if digest is not None else []
    name = alike[0] if len(alike) == 1 else ".".join([*parts[:-1], "NAME"])
    line = f'durable_import.renamed("{module}:{place}", "{module}:{name}")'
    return MissingCodeError(f"{error} If it has another name today, say so at module level: {line}")


def _places_alike(module: str, last: str, digest: str) -> list[str]:
    """The functions of a module whose text is that of a digest but for their own name, and names that were said."""
    from .renamed_text import digest_with

    known, former = MODULES.get(module), former_names()
    infos = known.by_place.values() if known is not None and not known.is_library else ()
    return [info.place for info in infos if digest_with(info, former | {info.place.rpartition(".")[2]: last}) == digest]
