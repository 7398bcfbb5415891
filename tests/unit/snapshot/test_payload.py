"""Payloads of formats that are not read here: each is refused by one sentence that says what opens it."""

from __future__ import annotations

import pytest

from durable_import import SnapshotFormatError
from durable_import.snapshot.encoder import Encoder
from durable_import.snapshot.payload import COMPLETE, READABLE, VERSION


@pytest.mark.parametrize(
    ("version", "way_out"),
    [
        (3, "the last version that opens format 3 is that of 26 November 2026"),
        (VERSION + 1, "a later version has saved it"),
    ],
)
def test_other_formats_are_refused(version: int, way_out: str) -> None:
    """Neither an older format nor a later one is read as if it were today's."""
    with pytest.raises(SnapshotFormatError, match=way_out) as refused:
        Encoder("i").decode(version.to_bytes(2, "big") + COMPLETE + b"N.")
    assert f"payload format {version}" in str(refused.value)
    assert "the saved state is kept" in str(refused.value)


def test_today_is_readable() -> None:
    """What is saved today is read today, and by whoever reads what comes after."""
    assert READABLE[-1] == VERSION
