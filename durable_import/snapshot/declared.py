"""Classes of the program with declared fields: the snapshot names the fields of each, with their types.

So it is known at load which classes have changed. Their objects are read *carefully* (see ``careful``): each is filled by the
names of its fields, new ones get their defaults, and one that has none is an error when all is read. A class with a
``__setstate__`` or ``__reduce__`` of its own sees to that itself. All this costs a snapshot two short strings a class.
"""

from __future__ import annotations

import sys
from functools import reduce
from importlib import import_module
from typing import Any

from ..log import logger
from ..upgrades.data import compare, saved_class
from ..upgrades.fields import fields_of, is_filled_by_name, is_struct, layout_of, own_setter
from ..upgrades.renames import gone, is_about, new_member, new_place
from .definitions.classes import reduce_class
from .definitions.definition_lines import line_of_class
from .load_context import ReadsCarefullyError, current
from .names import CONSTANTS, is_found_by_name, is_ours

Reference = tuple[str, str, str, str]  # module, name, fields, and their types behind how objects are laid out
_known: dict[type, Reference | None] = {}
_reduced: dict[type, Any] = {}  # of those that were found by their names
_told: set[tuple[type, str, str | None]] = set()
FORMERLY = ("dict", "model")  # the layouts of classes of which a snapshot says the fields alone


def reduce_declared(cls: type) -> Any:
    """A class that is found by its name with the names of its fields, another one as it is."""
    known = _reduced.get(cls)
    if known is not None and is_found_by_name(cls):
        return known
    if is_ours(cls):
        return reduce_class(cls)
    generic = getattr(cls, "__pydantic_generic_metadata__", None)
    if generic and generic["origin"]:
        reference = reference_of(cls)
        if reference is not None:
            return class_with_arguments, (generic["origin"], generic["args"], *reference[2:])
    if not is_found_by_name(cls):
        return reduce_class(cls)
    reference = reference_of(cls)
    found = _reduced[cls] = NotImplemented if reference is None else (class_with_fields, reference)
    return found


def reference_of(cls: type) -> Reference | None:
    """What a snapshot says of a class; None if it has no fields, or objects are restored in a way of its own."""
    try:
        return _known[cls]
    except KeyError:
        made = _known[cls] = _reference(cls)
        if made is not None:
            CONSTANTS.add(id(made))
        return made


def _reference(cls: type) -> Reference | None:
    module = cls.__module__
    if module != "__main__" and module.partition(".")[0] in sys.stdlib_module_names:
        return None
    fields = fields_of(cls)
    if not fields or not is_filled_by_name(cls):
        return None
    kinds = [layout_of(cls), *(field.kind for field in fields.values())]
    return module, cls.__qualname__, " ".join(fields), "\n".join(kinds)


def class_with_fields(module: str, name: str, fields: str, kinds: str | None = None) -> Any:
    """The class of a name today; ``fields``: those that it had, ``kinds`` is not in older snapshots.

    Raises ReadsCarefullyError if objects cannot be restored as they were saved.
    """
    cls = find_by_name(module, name, fields)
    return _noted(cls, fields, kinds) if isinstance(cls, type) else cls


def class_with_arguments(origin: Any, arguments: Any, fields: str, kinds: str) -> Any:
    """A generic model of pydantic with the types that it is for; it has no name by which it could be found."""
    return _noted(origin[arguments], fields, kinds)


def _noted(cls: type, fields: str, kinds: str | None) -> type:
    today = reference_of(cls)
    if today is not None and today[2:] == (fields, kinds):
        return cls
    _tell(cls, fields, kinds)
    if not _is_as_saved(cls, today, fields, kinds):
        context = current()
        if not context.is_careful:
            raise ReadsCarefullyError
        context.changed[cls] = tuple(fields.split())
    return cls


def _tell(cls: type, fields: str, kinds: str | None) -> None:
    """Log how a class has changed, once for each form that it had."""
    if (cls, fields, kinds) not in _told:
        _told.add((cls, fields, kinds))
        change = compare(saved_class(cls.__module__, cls.__qualname__, fields, kinds), cls)
        if change.said:
            filename, lineno = line_of_class(cls)
            logger.info("%s:%d: a class has changed since it was saved: %s", filename, lineno, change)


def _is_as_saved(cls: type, today: Reference | None, fields: str, kinds: str | None) -> bool:
    """Whether objects of a class are restored by what is in the snapshot alone."""
    if own_setter(cls) is not None:
        return not is_struct(cls)  # msgspec makes one of its fields, and does not know of it
    if today is None or today[2] != fields:
        return False
    layout = today[3].partition("\n")[0]
    return layout == kinds.partition("\n")[0] if kinds is not None else layout in FORMERLY


def check_unnamed(cls: type) -> None:
    """A snapshot names a class without fields: it had none, or it is an old one. Raises ReadsCarefullyError if it has some."""
    if reference_of(cls) is None and not has_new_members(cls):
        return
    context = current()
    if not context.is_careful:
        raise ReadsCarefullyError
    context.changed.setdefault(cls, None)


def has_new_members(cls: type) -> bool:
    """Whether the program has said new names of what objects of a class hold."""
    return new_member(cls.__module__, cls.__qualname__, None) is not None and is_filled_by_name(cls)


def find_by_name(module: str, name: str, fields: str = "") -> Any:
    """What a module has under a name, or under the one that was said to be its name today; ``fields``: of a class.

    Raises MissingCodeError.
    """
    try:
        return reduce(getattr, name.split("."), import_module(module))
    except (AttributeError, ModuleNotFoundError) as error:
        today = new_place(module, name)
        if today == (module, name) and is_about(error, module):
            raise gone(module, name, error, _only_one_like(module, name, fields)) from error
        if today == (module, name):
            raise
        return reduce(getattr, today[1].split("."), import_module(today[0]))


def _only_one_like(module: str, name: str, fields: str) -> str:
    """The name of the only class that stands where one is gone and has the same fields; empty if it is not certain."""
    try:
        holder = reduce(getattr, name.split(".")[:-1], import_module(module))
    except (AttributeError, ModuleNotFoundError):
        return ""
    classes = [each for each in vars(holder).values() if isinstance(each, type) and each.__module__ == module]
    alike = [each.__qualname__ for each in classes if (reference_of(each) or ("", "", ""))[2] == fields != ""]
    return alike[0] if len(alike) == 1 else ""
