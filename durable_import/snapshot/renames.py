"""New names of the program's modules, classes and enum members, as it has said them."""

from __future__ import annotations

from ..errors import MissingCodeError

_NEW: dict[str, str] = {}  # by what saved states say


def renamed(old: str, new: str) -> None:
    """Say that what saved states call ``old`` is called ``new`` today.

    Both are a module (``"shop.orders"``, with all that is below it), a class (``"shop.orders:Order"``), a member of an enum
    (``"shop.orders:Tier.SILVER"``), or a field, attribute or method of a class. Say it at module level, before instances are
    resumed; a name that is there today still means itself. Raises ValueError for what is no such pair.
    """
    for name in (old, new):
        module, colon, place = name.partition(":")
        parts = [*module.split("."), *(place.split(".") if colon else ())]
        if not all(part.isidentifier() for part in parts):
            raise ValueError(f'renamed({old!r}, {new!r}): {name!r} is not like "module" or "module:Name"')
    if (":" in old) != (":" in new):
        raise ValueError(f"renamed({old!r}, {new!r}): one is a module, the other is not")
    if old == new:
        raise ValueError(f"renamed({old!r}, {new!r}): the names are the same")
    _NEW[old] = new


def new_place(module: str, name: str) -> tuple[str, str]:
    """Module and name today of what was saved as ``name`` of ``module``: the same, unless one was said."""
    place, seen = f"{module}:{name}", set[str]()
    while place not in seen:
        seen.add(place)
        place = _next(place)
    module, _, name = place.partition(":")
    return module, name


def _next(place: str) -> str:
    """What was said of a place, or of the longest part of it."""
    end = len(place)
    while end > 0:
        if place[:end] in _NEW:
            return _NEW[place[:end]] + place[end:]
        end = max(place.rfind(".", 0, end), place.rfind(":", 0, end))
    return place


def new_member(module: str, name: str, member: str | None) -> tuple[str, str] | None:
    """Module and name today of a member of a class that has these today; it may have been said of the class's former name.

    Of any of its members if ``member`` is None.
    """
    for old in _NEW:
        former, _, place = old.partition(":")
        cls, _, last = place.rpartition(".")
        if last == (member or last) and cls and new_place(former, cls) == (module, name):
            return new_place(former, place)
    return None


def gone(module: str, name: str, error: Exception) -> MissingCodeError:
    """The error for a class or function of the program that is not found by its name, nor by another that was said."""
    holder = "".join(name.rpartition(".")[:2])
    return MissingCodeError(
        f"the saved state needs {name!r} of module {module!r}, which is not there today ({error}). Put it back, or, if it is "
        f'called something else, say so at module level: durable_import.renamed("{module}:{name}", "{module}:{holder}NAME"). '
        "Then resume again; the saved state is kept."
    )


def is_about(error: AttributeError | ModuleNotFoundError, module: str) -> bool:
    """Whether it is this module that is not found, or a name in it, and no other module that it imports."""
    return isinstance(error, AttributeError) or f"{module}.".startswith(f"{error.name}.")
