"""The index of errors has each error that users meet, and no other."""

from __future__ import annotations

import re

import durable_import
from durable_import import DurableError
from tests.docs.pages import FOLDER

PAGE = (FOLDER / "reference" / "errors.md").read_text()


def test_each_error_has_a_section() -> None:
    """Each public class of errors has a section of its name."""
    public = {name for name in durable_import.__all__ if _is_error(getattr(durable_import, name))}
    assert set(re.findall(r"^###? (\w+(?:Error|Exception))$", PAGE, re.MULTILINE)) == public


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, DurableError)
