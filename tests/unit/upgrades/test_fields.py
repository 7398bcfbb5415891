"""What is said of the fields of classes."""

from __future__ import annotations

import collections.abc
import decimal
import typing
from typing import Any, Dict, ForwardRef, List, Optional, Union  # noqa: UP035

import pytest

from durable_import.upgrades.fields import kind_of

KINDS = {
    "int": (int, "int"),
    "None": (None, "None"),
    "int | None": (Optional[int], "Optional[int]"),  # noqa: UP045
    "int | str": (Union[int, str], "typing.Union[int, str]"),  # noqa: UP007
    "dict[str, list[Decimal]]": (Dict[str, List[decimal.Decimal]], "Dict[str, List[decimal.Decimal]]"),  # noqa: UP006
    "Callable[[int], str]": (collections.abc.Callable[[int], str], "Callable[[int], str]"),
    "Literal['a']": (typing.Literal["a"], "typing.Literal['a']"),
    "Any": (Any, "Any"),
    "float": (typing.Annotated[float, object()], "Annotated[float, Field(gt=0)]"),
    "Order": (ForwardRef("Order"), "Order"),
    "tuple[int, ...]": (tuple[int, ...], "tuple[int, ...]"),
}


@pytest.mark.parametrize(("said", "kinds"), KINDS.items(), ids=KINDS)
def test_types_are_said_in_one_way(said: str, kinds: tuple[Any, str]) -> None:
    """As they are evaluated, and as they are written."""
    assert [kind_of(kind) for kind in kinds] == [said, said]
