"""Some of the kills of the campaign, which goes on for as long as one likes: ``python -m tests.crash.campaign``."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import pytest

from tests.crash.campaign import campaign
from tests.crash.crew import Crew
from tests.harness.postgres import PostgresServer

KILLS = 100
WORKER = """
import time

def live(say, seconds):
    say("begun")
    time.sleep(float(seconds))
    1 / 0
"""

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


async def test_a_worker_that_ends_by_itself_is_told(tmp_path: Path) -> None:
    """With its exit status and its log; one that is killed is not."""
    (tmp_path / "worker.py").write_text(WORKER)
    async with Crew(tmp_path) as crew:
        crew.live(1, "60")
        await crew.watch(crew.begun(1))
        await crew.watch(crew.kill(1))
        crew.live(2, "0")
        with pytest.raises(AssertionError, match=r"(?s)worker 2 .* status 1; .*ZeroDivisionError"):
            await crew.watch(asyncio.sleep(60))
