"""Settings of the loop of an instance."""

from __future__ import annotations

import asyncio
import logging

import pytest

from durable_import.aio.loop import InstanceLoop


def test_settings_of_an_application_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """What an instance sets of the loop of an application is set, told with the line, and not set in its next life."""

    async def main() -> None:
        loop = InstanceLoop("mine")
        loop.owns_process = False
        loop.attach()
        loop.is_inside = True
        loop.slow_callback_duration = 3.5
        assert asyncio.get_running_loop().slow_callback_duration == 3.5
        asyncio.get_running_loop().slow_callback_duration = 0.1
        again = InstanceLoop("mine")
        again.owns_process = False
        again.fill_settings(loop.kept_settings(bool))
        again.attach()
        assert again.slow_callback_duration == 0.1

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())
    (said,) = caplog.messages
    assert "instance mine sets the slow_callback_duration of its loop" in said
    assert "test_loop_settings.py:" in said


def test_most_loops_keep_nothing() -> None:
    """A loop that the program sets nothing of has nothing to be saved for it."""
    assert InstanceLoop("mine").kept_settings(bool) is None
