"""Reads the pickles of snapshots, those of earlier formats and of other versions of Python too."""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Generator
from typing import Any

from ..holds.opening import Reopening
from ..pythons.moved import place_today
from ..upgrades.renames import gone, is_about, new_place
from .careful import CarefulUnpickler, refusal
from .declared import check_unnamed
from .definitions.moved import gone_today
from .filling import complete, is_changed
from .iterators.native_forms import NativeFormsUnpickler, has_native_forms, native_form
from .library import is_standard, missing
from .load_context import LoadContext, Read, current, load_unopened
from .names import MODULE, find_former, is_internal, registered
from .tasks.tasks import fill_task, new_task


class _Nans:
    """What the unpicklers share: nans, which are objects of their own."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)  # type: ignore[call-arg]
        self.nans: dict[tuple[int, bytes], float] = {}

    def persistent_load(self, pid: tuple[int, bytes]) -> float:
        """One object for each nan."""
        if pid not in self.nans:
            (self.nans[pid],) = struct.unpack(">d", pid[1])
        return self.nans[pid]

    def find_class(self, module: str, name: str) -> Any:
        """What a name leads to today."""
        if module == MODULE:
            return registered
        if is_internal(module):
            return find_former(module, name)
        loader: Any = super()
        try:
            found = loader.find_class(*place_today(module, name))
        except (AttributeError, ModuleNotFoundError) as error:
            today = new_place(module, name)
            if today != (module, name):
                try:
                    found = loader.find_class(*today)
                except (AttributeError, ModuleNotFoundError) as lacking:
                    if not is_about(lacking, today[0]):
                        raise
                    return gone_today(*today, gone(*today, lacking))
            elif is_standard(module):
                raise missing(module, name) from error
            elif is_about(error, module):
                return gone_today(module, name, gone(module, name, error))
            else:
                raise
        if isinstance(found, type) and (module == "__main__" or not is_standard(module)):
            check_unnamed(found)
        return found


class SnapshotUnpickler(_Nans, pickle.Unpickler):
    """Loads what any of the picklers made."""


class _EarlierUnpickler(_Nans, NativeFormsUnpickler):
    """The same for snapshots with forms that this Python has no more. Slow."""

    def find_class(self, module: str, name: str) -> Any:
        """What is called in another way then, or what a name leads to today."""
        return native_form(module, name) or super().find_class(module, name)


class _Careful(_Nans, CarefulUnpickler):
    """The same for objects of classes that have changed. Slow."""

    def find_class(self, module: str, name: str) -> Any:
        """What is called in another way then, or what a name leads to today."""
        return native_form(module, name) or super().find_class(module, name)


def complete_fields(unpickler: Any, context: LoadContext) -> None:
    """Give those objects that had no attributes at all the fields that are new in their classes."""
    if context.changed:
        for instance in unpickler.memo.values():
            if is_changed(type(instance)):
                complete(instance)


def unpickler_of(file: io.BytesIO) -> Any:
    """Loads one snapshot, or one segment."""
    context = current()
    if context.is_careful:
        context.refusal = refusal
        return _Careful(file)
    return (_EarlierUnpickler if has_native_forms(file.getvalue()) else SnapshotUnpickler)(file)


def loads(data: bytes) -> Any:
    """Load what ``dumps`` made, and complete it."""
    return load_with_loop(data)[0]


def load_with_loop(data: bytes) -> tuple[Any, LoadContext]:
    """The same, with the context that has the loop which tasks and futures in it belong to."""

    return load_unopened(reading_of(data))


def reading_of(data: bytes) -> Read[tuple[Any, LoadContext]]:
    """How it is read."""

    def read(context: LoadContext) -> Generator[Reopening, None, tuple[Any, LoadContext]]:
        unpickler = unpickler_of(io.BytesIO(data))
        unpickler.load()
        while type(value := unpickler.load()) is Reopening:
            complete_fields(unpickler, context)
            yield value
        while (held := unpickler.load()) is not None:
            path, frames, record = held
            fill_task(new_task(path), frames, record)
        complete_fields(unpickler, context)
        if type(value) is tuple and len(value) == 6 and type(value[2]) is dict:
            context.contents = value[2]
        return value, context

    return read
