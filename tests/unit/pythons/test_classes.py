"""What is found of classes, and remembered."""

from __future__ import annotations

import gc
import weakref

from durable_import.pythons.classes import ByClass


def test_what_was_found_is_remembered_until_it_is_cleared() -> None:
    """The same for classes of C, which never go away, and for others."""
    found: ByClass[str] = ByClass()

    class Other:
        """Not asked before."""

    assert (found.get(int), found.get(Other)) == (None, None)
    assert (found.keep(int, "a number"), found.keep(Other, "")) == ("a number", "")
    assert (found.get(int), found.get(Other)) == ("a number", "")
    found.clear()
    assert (found.get(int), found.get(Other)) == (None, None)


def test_no_class_is_kept_alive() -> None:
    """Programs may make classes for ever."""
    found: ByClass[str] = ByClass()
    cls = type("Made", (), {})
    gone = weakref.ref(cls)
    found.keep(cls, "known")
    del cls
    gc.collect()
    assert gone() is None
