"""A clock that is set, or a machine that has slept, while an instance lives: what it waits for takes as long as it says."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from types import ModuleType

import pytest

from durable_import import DurableRuntime
from tests.running.effects import open_gates, reached_gates
from tests.running.test_life import until


@pytest.mark.parametrize("jump", [8 * 3600.0, -8 * 3600.0])
@pytest.mark.parametrize("is_closed", [False, True], ids=["evicted", "closed"])
async def test_a_sleep_after_a_jump(
    tmp_path: Path, flows: ModuleType, monkeypatch: pytest.MonkeyPatch, jump: float, is_closed: bool
) -> None:
    """It goes through eviction and a restart, neither shorter nor longer, and the clock of its event loop has not jumped."""
    now, url = time.time, f"sqlite:///{tmp_path / 'state.db'}"
    async with asyncio.timeout(60), DurableRuntime(url, evict_after=0.1, poll_interval=0.02) as runtime:
        handle = await runtime.start(flows.sleep_behind, "gate", 1.5, instance_id="sleeps")
        await until(lambda: "gate" in reached_gates)
        monkeypatch.setattr(time, "time", lambda: now() + jump)
        began = time.monotonic()
        open_gates.add("gate")
        await until(lambda: not runtime.running)
        info = await handle.info()
        assert info.status == "sleeping"
        assert info.wake_at is not None
        assert 0.0 < info.wake_at - time.time() < 2.0
        if not is_closed:
            assert 1.5 <= await handle.result() < 60.0
            assert time.monotonic() - began >= 1.5
            return
    async with asyncio.timeout(60), DurableRuntime(url, poll_interval=0.02) as runtime:
        await runtime.recover()
        assert 1.5 <= await runtime.handle("sleeps").result() < 60.0
        assert time.monotonic() - began >= 1.5
