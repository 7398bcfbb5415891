"""Reducers for what shares memory with another object: memoryviews and numpy's views; for numpy's settings of errors, and for
``struct.Struct``.

A view is saved as its source and the place in it, so both go on sharing memory. A numpy view whose source nothing else
refers to is saved by itself, without the rest of the source. Not kept: the sharing of arrays of Python objects, of
arrays over foreign memory (``mmap``, shared memory), and of subclasses of ``ndarray``; those are saved as copies.
"""

from __future__ import annotations

import contextvars
import struct
import sys
from collections.abc import Callable
from pickle import PicklingError
from types import SimpleNamespace
from typing import Any

Reduced = tuple[Any, ...] | str


def refuse_mapped(array: Any) -> Any:
    """A ``numpy.memmap`` that writes to its file: what is written to a copy would not get there. Others are saved as copies."""
    if array.filename is None or array.mode in ("r", "c"):
        return NotImplemented
    raise PicklingError("an array in a file: what is written to it later would not be in the file")


# --- memoryview ------------------------------------------------------------------------------------------------------


def restore_memoryview(source: Any, form: str, shape: tuple[int, ...]) -> memoryview:
    """A view of all of ``source``."""
    return _cast(memoryview(source).cast("B"), form, shape)


def _cast(flat: memoryview, form: str, shape: tuple[int, ...]) -> memoryview:
    return flat if form == "B" and len(shape) == 1 else flat.cast(form, shape)  # type: ignore[call-overload]


def restore_memoryview_part(
    source: Any, form: str, shape: tuple[int, ...], lowest: int, size: int, step: int, readonly: bool
) -> memoryview:
    """A view of ``size`` bytes of ``source`` from ``lowest`` on; of every ``step``-th item if it has one dimension."""
    view: memoryview
    if size:
        flat: Any = memoryview(source).cast("B")[lowest : lowest + size]
        view = _cast(flat, form, shape) if step == 1 else flat.cast(form)[::step]
    else:
        flat = memoryview(bytearray(struct.calcsize(form)))  # the source may not hold a whole item
        view = flat.cast(form)[:0]
    return view.toreadonly() if readonly else view


def restore_released_memoryview() -> memoryview:
    """A view after its ``release()``."""
    view = memoryview(b"")
    view.release()
    return view


def _reduce_memoryview(view: memoryview) -> Reduced:
    try:
        source = view.obj
    except ValueError:
        return restore_released_memoryview, ()
    if isinstance(source, bytes):  # they never change: a copy of the part means the same
        whole = view.c_contiguous and view.nbytes == len(source)
        return restore_memoryview, (source if whole else view.tobytes(), view.format, view.shape)
    everything = memoryview(source)
    if not everything.c_contiguous or (not view.c_contiguous and view.ndim != 1):
        raise PicklingError("a memoryview with gaps in several dimensions; keep the buffer and the bounds instead")
    if view.c_contiguous and view.nbytes == everything.nbytes and view.readonly == everything.readonly:
        return restore_memoryview, (source, view.format, view.shape)
    return restore_memoryview_part, (source, view.format, view.shape, *_bounds(view, everything), view.readonly)


def _bounds(view: memoryview, everything: memoryview) -> tuple[int, int, int]:
    """The first byte, the number of bytes, and the step in items."""
    if not view.nbytes:
        return 0, 0, 1
    from ...pythons.addresses import address_of  # rarely needed and slow to import

    first = address_of(view) - address_of(everything)
    if view.c_contiguous:
        return first, view.nbytes, 1
    (stride,), (length,) = view.strides or (), view.shape or ()
    span = (length - 1) * stride
    return first + min(span, 0), abs(span) + view.itemsize, stride // view.itemsize


# --- numpy -----------------------------------------------------------------------------------------------------------


def _source_of(array: Any) -> tuple[Any, int]:
    """What a view is of, and how many references to it there are here."""
    source = array.base
    return source, sys.getrefcount(source)


_ONLY_THE_VIEW = _source_of(SimpleNamespace(base=object()))[1]  # since 3.14 variables that are asked about do not count


def restore_array_view(source: Any, dtype: Any, shape: Any, strides: Any, offset: int, writeable: bool) -> Any:
    """An array in the memory of ``source``, ``offset`` bytes from its start."""
    view = type(source)(shape, dtype, source, offset, strides)
    if not writeable and view.flags.writeable:
        view.flags.writeable = False
    return view


def reduce_array(array: Any) -> Any:
    """Of ``numpy.ndarray`` itself: views as views, the rest by numpy's own way."""
    source, references = _source_of(array)
    if type(source) is not type(array) or references <= _ONLY_THE_VIEW:
        return NotImplemented
    if array.dtype.hasobject or source.dtype.hasobject or not source.flags.c_contiguous:
        return NotImplemented
    offset = array.__array_interface__["data"][0] - source.__array_interface__["data"][0]
    writeable = bool(array.flags.writeable)
    return restore_array_view, (source, array.dtype, array.shape, array.strides, offset, writeable)


def restore_error_settings(errors: dict[str, str], function: Any, size: int) -> Any:
    """What ``numpy.seterr``, ``seterrcall`` and ``setbufsize`` put into numpy's context variable."""
    import numpy

    def put() -> Any:
        numpy.seterr(**errors)  # type: ignore[arg-type]
        numpy.seterrcall(function)
        numpy.setbufsize(size)
        return _error_settings().get()

    return contextvars.copy_context().run(put)


def _error_settings() -> Any:
    """Numpy's context variable; None before numpy 2."""
    return getattr(sys.modules.get("numpy._core.umath"), "_extobj_contextvar", None)


def reduce_capsule(capsule: Any) -> Any:
    """How numpy handles floating-point errors is in a capsule."""
    variable, numpy = _error_settings(), sys.modules.get("numpy")
    if variable is None or numpy is None or '"numpy.ufunc.extobj"' not in repr(capsule):
        return NotImplemented

    def read() -> tuple[Any, ...]:
        variable.set(capsule)
        return numpy.geterr(), numpy.geterrcall(), numpy.getbufsize()

    return restore_error_settings, contextvars.copy_context().run(read)


# --- struct ----------------------------------------------------------------------------------------------------------


def _reduce_struct(layout: struct.Struct) -> Reduced:
    return struct.Struct, (layout.format,)


TABLE: dict[type, Callable[[Any], Any]] = {
    memoryview: _reduce_memoryview,
    struct.Struct: _reduce_struct,
}
