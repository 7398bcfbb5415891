"""Values that share memory go on sharing it."""

from __future__ import annotations

import array
import pickle
import struct
from typing import Any

import numpy as np
import pytest

from tests.harness.pickling import dumps, restored


def test_views_of_bytes() -> None:
    """Whole, cast, part and released; of a part only the part is saved."""
    gone = memoryview(b"x")
    gone.release()
    big = b"a" * 100_000
    whole, part, gone, small = restored((memoryview(b"abcd").cast("H"), memoryview(b"abcd")[1:3], gone, memoryview(big)[:3]))
    assert (whole.format, whole.tobytes(), part.tobytes(), small.tobytes()) == ("H", b"abcd", b"bc", b"aaa")
    assert len(dumps(memoryview(big)[:3])) < 1000
    with pytest.raises(ValueError, match="released"):
        len(gone)


def _cast(view: Any, form: str) -> Any:
    return view.cast(form)


@pytest.mark.parametrize(
    "place", [slice(None), slice(1, 3), slice(3, 3), slice(1, None, 3), slice(None, None, -1), slice(6, 1, -2)]
)
@pytest.mark.parametrize("form", ["B", "H", "i"])
def test_views_of_buffers_share(place: slice, form: str) -> None:
    """Any slice writes into the very buffer, whatever its items are."""
    buffer = bytearray(range(40))
    expected, whole = bytearray(buffer), memoryview(buffer)
    view = _cast(whole, form)[place]
    again, copy = restored((buffer, view))
    assert (copy.format, copy.shape, copy.strides, copy.readonly) == (view.format, view.shape, view.strides, False)
    for target in (_cast(memoryview(expected), form)[place], copy):
        for i in range(len(target)):
            target[i] = 200 - i
    assert again == expected


def test_other_buffers() -> None:
    """An array's view, a read-only view, one of two dimensions; one with gaps in two dimensions is refused."""
    numbers, buffer = array.array("i", range(5)), bytearray(range(12))
    grid = memoryview(buffer).cast("B", (3, 4))
    numbers, tail, buffer, frozen, grid = restored(
        (numbers, memoryview(numbers)[3:], buffer, memoryview(buffer)[2:4].toreadonly(), grid)
    )
    numbers[4], buffer[3] = 9, 77
    assert (tail.tolist(), frozen.tolist(), frozen.readonly) == ([3, 9], [2, 77], True)
    assert (grid.shape, grid[0, 3]) == ((3, 4), 77)
    gaps = memoryview(np.zeros((4, 4))[::2, ::2])  # type: ignore[arg-type]
    with pytest.raises(pickle.PicklingError, match="several dimensions"):
        dumps(gaps)


def _share(grid: Any, *views: Any) -> list[bool]:
    return [bool(np.shares_memory(grid, view)) for view in views]


def test_array_views_share() -> None:
    """Rows, transposed, reversed, of another type, read-only: after one save and after two."""
    grid = np.arange(12, dtype=np.int32).reshape(3, 4)
    fixed = grid[1]
    fixed.flags.writeable = False
    views = (grid[0], grid.T, grid[::-1, ::2], grid.view(np.uint8), fixed, grid[:0])
    once = restored((grid, *views))
    for state in (once, restored(once)):
        for view, original in zip(state[1:], views, strict=True):
            assert view.tolist() == original.tolist()
            assert (view.dtype, view.strides) == (original.dtype, original.strides)
        assert _share(*state[:6]) == [True] * 5
        assert [view.flags.writeable for view in state] == [True] * 5 + [False, True]
        state[1][0] = 0


def test_a_view_whose_source_one_other_object_has() -> None:
    """They share it afterwards: one reference is enough."""
    holder: list[Any] = [np.zeros(1000)]
    holder.insert(0, holder[0][1:3])  # the view is met first
    view, source = restored(holder)
    view += 5
    assert source[:4].tolist() == [0.0, 5.0, 5.0, 0.0]


def test_lonely_view_is_saved_alone() -> None:
    """A few items of a large array that nothing else refers to do not save all of it."""
    assert len(dumps(np.zeros(100_000)[:3])) < 1000


def test_arrays_of_objects_are_copied() -> None:
    """What they hold stays one object."""
    inner: list[int] = []
    cells = np.array([inner, inner, 3], dtype=object)
    cells, part, inner = restored((cells, cells[:2], inner))
    assert cells[0] is part[1] is inner


def test_struct() -> None:
    """With its format."""
    assert restored(struct.Struct("<HI")).unpack(b"\1\0\2\0\0\0") == (1, 2)
