"""Some of the kills of the campaign, which goes on for as long as one likes: ``python -m tests.crash.campaign``."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from tests.crash.campaign import campaign
from tests.harness.postgres import PostgresServer

KILLS = 100

pytestmark = pytest.mark.slow


async def test_sqlite(tmp_path: Path) -> None:
    """Workers over one file, which are killed again and again, lose nothing and do nothing twice that was committed."""
    counts = await campaign(f"sqlite:///{tmp_path}/state.db?shared=yes", tmp_path, KILLS)
    assert counts.kills == KILLS


async def test_postgres(tmp_path: Path, postgres_server: PostgresServer) -> None:
    """So do workers over a server."""
    database = f"campaign{secrets.token_hex(4)}"
    postgres_server.execute(f"CREATE DATABASE {database}")
    counts = await campaign(postgres_server.url(database), tmp_path, KILLS)
    assert counts.kills == KILLS
