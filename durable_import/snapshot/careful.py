"""Reads what holds objects of classes that have changed: one object after the other, by the names of their fields.

The unpickler in C fills objects by itself, so the one in Python does this, slowly. An object has its new fields before it is
hashed, or given to another's ``__setstate__``. What has no default is told when all is read, and it is known what holds it.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from ..errors import DataChangedError
from ..frames.capture import parts_of
from ..hook.code_table import info_of
from ..rewrite.analysis.names import is_hidden
from ..upgrades.fields import is_filled_by_name, is_named_tuple
from ..upgrades.renames import gone, new_member
from . import filling
from .diagnose import Child, contents
from .iterators.native_forms import NativeFormsUnpickler
from .load_context import LoadContext, current
from .reducers import instances
from .reducers.exceptions import fill_exception
from .reducers.structs import restore_struct
from .tasks import frames

_MOST_LOOKED_AT = 100_000  # objects, for the variable that holds one
_MAKING = (instances.new_instance, instances.new_hashed, instances.new_by_own_new)
_FILLING = (instances.fill_instance, instances.fill_slots)
_COMPLETED = (fill_exception, instances.fill_container)
_OF_FRAMES = (frames.fill, frames.fill_driven)


class CarefulUnpickler(NativeFormsUnpickler):
    """Reads objects whose classes have changed."""

    dispatch: ClassVar[dict[int, Any]] = dict(NativeFormsUnpickler.dispatch)

    def load_build(self) -> None:
        state = self.stack.pop()
        instance = self.stack[-1]

        def natively() -> None:
            self.stack.append(state)
            super(CarefulUnpickler, self).load_build()

        _give(instance, state, natively)

    def load_newobj(self) -> None:
        args = self.stack.pop()
        self.stack[-1] = _new(self.stack[-1], args)

    def load_reduce(self) -> None:
        function, args = self.stack[-2:]
        if function in _FILLING:
            _give(instances.without_stand_in(args[0]), args[1], lambda: function(*args))
            self.stack[-2:] = [None]
        elif function in _MAKING:
            self.stack[-2:] = [_made(function, args)]
        elif isinstance(function, type) and (names := current().changed.get(function)) and len(names) == len(args):
            self.stack[-2:] = [restore_struct(function, names, args)]
        elif function is getattr and len(args) == 2:
            self.stack[-2:] = [_attribute(*args)]
        else:
            super().load_reduce()
            if function in _COMPLETED and filling.is_changed(type(args[0])):
                filling.complete(args[0])
            elif function in _OF_FRAMES:
                current().variables.append((args[0], dict(args[1][1])))

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.NEWOBJ[0]] = load_newobj
    dispatch[pickle.REDUCE[0]] = load_reduce


def _give(instance: Any, state: Any, natively: Callable[[], object]) -> None:
    """Fill an object: by name if its class has changed, or has no place for all that it had."""
    if filling.is_changed(type(instance)):
        filling.fill(instance, state)
        return
    try:
        natively()
    except (AttributeError, TypeError):
        if not is_filled_by_name(type(instance)):
            raise
        filling.put_all(instance, state)


def _new(cls: Any, args: tuple[Any, ...]) -> Any:
    """An object as pickle makes it; a class that was a named tuple may be another one today, or something else."""
    before = current().changed.get(cls)
    if before and len(before) == len(args):
        if is_named_tuple(cls):
            return filling.named_tuple(cls, args)
        made = _made(object.__new__, (cls,))
        filling.fill(made, dict(zip(before, args, strict=True)))
        return made
    try:
        return cls.__new__(cls, *args)
    except TypeError as error:
        if args or not is_filled_by_name(cls):
            raise filling.misfit(cls, f"a {cls.__qualname__} made of {len(args)} values", error) from error
    return _made(object.__new__, (cls,))


def _made(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    try:
        return function(*args)
    except TypeError as error:  # laid out by C now, say
        raise filling.misfit(args[0], f"objects of {args[0].__qualname__}", error) from error


def _attribute(owner: Any, name: str) -> Any:
    """What a bound method is: it may have another name today. Raises MissingCodeError if it is gone."""
    try:
        return getattr(owner, name)
    except AttributeError as error:
        cls = owner if isinstance(owner, type) else type(owner)
        places = (new_member(base.__module__, base.__qualname__, name) for base in cls.__mro__)
        place = next(filter(None, places), None)
        if place is None:
            raise gone(cls.__module__, f"{cls.__qualname__}.{name}", error) from error
        return getattr(owner, place[1].rpartition(".")[2])


# --- what is told when all is read -----------------------------------------------------------------------------------


def refusal(context: LoadContext) -> DataChangedError:
    """The error for the first object that lacks a field, with the variable that holds it."""
    instance, name = context.lacking[0]
    return filling.field_without_default(type(instance), name, _where(context, instance))


def _where(context: LoadContext, instance: Any) -> str:
    """In words, what leads to an object: of the variables of the frames that were read, and of the program's data."""
    queue = deque(_roots(context))
    seen: dict[int, Any] = {}
    while queue and len(seen) < _MOST_LOOKED_AT:
        (path, obj), owner = queue.popleft()
        if obj is instance:
            return f"; one is {path} in {owner}"
        if id(obj) not in seen:
            seen[id(obj)] = obj
            queue.extend((child, owner) for child in contents(path, obj))
    return ""


def _roots(context: LoadContext) -> Iterator[tuple[Child, str]]:
    for frame, variables in context.variables:
        info = info_of(parts_of(frame).code)
        owner = f"{info.place} ({info.module.path})" if info is not None else "a frame"
        yield from (((name, value), owner) for name, value in variables.items() if not is_hidden(name))
    for key, (_, target, held) in context.contents.items():
        module, _, name = key.rpartition(":")
        owner = f"module {module}" if module else "the script"
        if isinstance(target, dict) and isinstance(held, list):
            yield from (((f"{name}[{key!r}]", value), owner) for key, value in held)
        yield (name, held), owner
