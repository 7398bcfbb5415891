"""What parsers of the standard library are made of is made again."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction

import pytest

from tests.harness.pickling import restored


def test_json_decoder() -> None:
    """A decoder keeps its hooks, and whether it is strict."""
    decoder = restored(json.JSONDecoder(parse_float=Decimal, parse_int=Fraction, object_pairs_hook=list, strict=False))
    assert decoder.decode('{"a": [1.10, 2], "b": "\t"}') == [("a", [Decimal("1.10"), Fraction(2)]), ("b", "\t")]
    assert decoder.raw_decode("7 8") == (Fraction(7), 1)
    with pytest.raises(json.JSONDecodeError):
        restored(json.JSONDecoder()).decode('"\t"')
