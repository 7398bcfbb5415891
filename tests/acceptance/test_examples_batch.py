"""The batch job: killed in the middle, its rows, attempts and pauses go on, and its files are those of a native run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.test_examples import contents, random_moments, report, run_and_kill, run_natively

pytestmark = pytest.mark.slow


def test_batch_is_that_of_an_uninterrupted_run(tmp_path: Path) -> None:
    """The same prices, refusals and attempts after eight kills as after none."""
    arguments = ["--rows", "200", "--at-a-time", "20"]
    native = run_natively(tmp_path, "batch.py", *arguments, "--folder", "native")
    outcome = run_and_kill(
        tmp_path,
        "batch.py",
        *arguments,
        "--folder",
        "killed",
        moments=random_moments(8, 1.0),
        last_words=native.splitlines()[-1].partition(",")[0],
    )
    assert outcome.kills >= 3
    assert all("resuming" in notice for notice in outcome.notices[1:])
    expected = report(native, "200 rows").replace("native", "killed")
    assert "tried again" in expected
    assert report(outcome.printed, "200 rows") == expected
    assert contents(tmp_path / "killed") == contents(tmp_path / "native")
