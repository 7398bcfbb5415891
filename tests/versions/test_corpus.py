"""What earlier versions of durable_import have saved opens, and goes on to the native end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.crossing import Worker
from tests.versions.corpus import ask, kept, read


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    """A process that goes on with snapshots."""
    worker = Worker(sys.executable)
    yield worker
    worker.end()


def with_slow() -> list[Any]:
    """All programs; all but every sixteenth one of the newest file are marked as slow."""
    files = sorted({file for file, _ in kept()})
    return [
        pytest.param(file, name, marks=pytest.mark.slow if file != files[-1] or n % 16 else (), id=f"{file.stem}-{name}")
        for n, (file, name) in enumerate(kept())
    ]


if kept():

    @pytest.mark.parametrize(("file", "name"), with_slow())
    def test_what_was_saved_goes_on(file: Path, name: str, worker: Worker, tmp_path: Path) -> None:
        """Each snapshot of a program leads to the result that the program had natively."""
        source, native, snapshots = read(file, name)
        path = tmp_path / f"{name}.py"
        path.write_text(source)
        answers = ask(worker, {"program": str(path), "snapshots": snapshots})
        assert "error" not in answers, answers["error"]
        assert [answer.get("result") or answer["error"] for answer in answers] == [native] * len(snapshots)
