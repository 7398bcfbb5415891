"""Which statements set a connection, and what they set."""

from __future__ import annotations

import pytest

from durable_import.holds.session_settings import settings_in


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("PRAGMA foreign_keys = ON", ["foreign_keys"]),
        ("pragma main.cache_size(17); PRAGMA foreign_keys", ["cache_size"]),
        ("-- first\n/* then */ PRAGMA synchronous=OFF;", ["synchronous"]),
        ("PRAGMA user_version = 7; PRAGMA table_info(t); PRAGMA key = 'secret'", []),
        ("SET search_path TO shop, public", ["search_path"]),
        ("set session app.tenant='a'; set time  zone 'UTC'", ["app.tenant", "time zone"]),
        ("SET ROLE reader", ["role"]),
        ("SET LOCAL search_path TO shop", []),
        ("SET TRANSACTION READ ONLY; SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", []),
        ("select 1", []),
        ("update t set x = 1", []),
        ("", []),
    ],
)
def test_settings(text: str, settings: list[str]) -> None:
    """Those of a connection are found by their names, and no others."""
    assert [name for name, _ in settings_in(text)] == settings
