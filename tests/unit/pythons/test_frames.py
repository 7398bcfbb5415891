"""What is read of the stack of suspended generators, and that nothing is guessed where it is not as expected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from durable_import.pythons import frames
from durable_import.snapshot.pickler import dumps
from durable_import.snapshot.references import References
from tests.harness.torture import fresh_module

HELD = "async def f():\n    pass\ndef make(rows):\n    return (row for row in rows)\n"


def remaining(iterators: list[Any] | None) -> list[list[Any]]:
    """What iterators are going to give."""
    assert iterators is not None
    return [list(iterator) for iterator in iterators]


@pytest.mark.parametrize("container", [[1, 2, 3], (1, 2, 3), "abc", "äbc", b"abc", bytearray(b"abc"), range(3), {1: 2, 3: 4}])
def test_iterators_stand_where_the_loops_do(container: Any) -> None:
    """An iterator of a loop goes on with the item that the loop would have next."""
    generator = (item for _ in "xy" for item in container)
    next(generator)
    assert remaining(frames.iterators_on_stack(generator, 2)) == [["y"], list(container)[1:]]


def test_a_list_that_was_cut_keeps_its_position() -> None:
    """The position beyond the end of a list stays what it is."""
    rows: list[int | str] = [1, 2, 3]
    generator = (row for row in rows)
    next(generator), next(generator)
    rows.clear()
    iterators = frames.iterators_on_stack(generator, 1)
    rows.extend("abcd")
    assert remaining(iterators) == [["c", "d"]]


if frames.LOOPS_WITHOUT_ITERATOR:  # since Python 3.15

    def test_looking_does_not_move_a_loop() -> None:
        """A generator whose stack was read goes on where it was."""
        generator = (item for item in [1, 2, 3])
        next(generator)
        remaining(frames.iterators_on_stack(generator, 1))
        assert list(generator) == [2, 3]

    def test_what_is_not_on_the_stack_is_not_read() -> None:
        """Objects that do not lie there are no loops of the generator."""
        generator = (row for row in [1, 2])
        next(generator)
        assert frames.positioned(generator, [[1, 2]]) is None
        assert frames.iterators_on_stack(generator, 2) is None

    @pytest.fixture
    def unknown_layout(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Frames have one more variable than the memory shows."""
        count = frames._number_of_variables
        frames._layout_is_known.cache_clear()
        monkeypatch.setattr(frames, "_number_of_variables", lambda code: count(code) + 40)
        yield
        frames._layout_is_known.cache_clear()

    @pytest.mark.usefixtures("unknown_layout")
    def test_memory_that_is_laid_out_otherwise_is_not_read() -> None:
        """A held generator expression is refused with its place and the way out, where its stack cannot be read."""
        with fresh_module(HELD, "held.py", rewritten=True) as module:
            generator = module.make([1, 2])
            next(generator)
            with pytest.raises(Exception, match=r"make\.<locals>\.<genexpr>.*held\.py:4.*make it a list"):
                dumps(generator, References())
