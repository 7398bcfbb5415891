"""Snapshots that an earlier version has saved, kept for ever: ``python -m tests.versions.corpus NAME`` makes a file of today's.

A file holds, for each test program: its source as it was, its native result, and snapshots from some places on its way. So a
program may change later; what was saved of it goes on with the source that it had.
"""

from __future__ import annotations

import base64
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.harness.crossing import Worker
from tests.harness.interpreters import name_of
from tests.harness.rewriting import PROGRAMS

FOLDER = Path(__file__).parent / "corpus"
PLACES = 2  # at which each program is left
TIMED = ("c048_threads",)  # their threads go by the clock on the wall, here the instance goes by its own
LARGE = 200_000  # bytes: a program whose snapshots are larger is about size, not about kinds


def make(name: str) -> None:
    """Save the snapshots of all programs that run in this Python in the file ``name``."""
    worker, other = Worker(sys.executable), Worker(sys.executable)
    with zipfile.ZipFile(FOLDER / f"{name}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        programs = sorted(PROGRAMS.glob("p*.py")) + sorted(PROGRAMS.glob("concurrent/c*.py"))
        for path in (program for program in programs if program.stem not in TIMED):
            answer = ask(worker, {"program": str(path), "places": PLACES})
            obstacle = answer.get("error") or _obstacle(other, path, answer)
            if obstacle:
                print(f"{path.stem} is left out: {obstacle.strip().splitlines()[-1]}")
                continue
            file.writestr(f"{path.stem}.py", path.read_text())
            file.writestr(f"{path.stem}.json", json.dumps([answer["native"], [s["now"] for s in answer["snapshots"]]]))
            for number, snapshot in enumerate(answer["snapshots"]):
                file.writestr(f"{path.stem}.{number}", base64.b64decode(snapshot["data"]))
    worker.end()
    other.end()


def ask(worker: Worker, job: dict[str, Any]) -> Any:
    """What a job gives."""
    worker.begin(job)
    return worker.answer()


def _obstacle(worker: Worker, path: Path, answer: dict[str, Any]) -> str:
    """Why what a program gave cannot be kept; empty if it can."""
    if len(json.dumps(answer)) > LARGE:
        return "it is large"
    answers = ask(worker, {"program": str(path), "snapshots": answer["snapshots"]})
    wrong = [each for each in answers if each.get("result") != answer["native"]]
    return wrong[0].get("error") or "in another folder it does not go on" if wrong else ""


def kept() -> list[tuple[Path, str]]:
    """The programs in the files that this Python has made, each with the file that it is in; for others see ``matrix``."""
    files = sorted(FOLDER.glob(f"*-python{name_of(sys.version_info[:2])}.zip"))
    return [(path, name) for path in files for name in _programs(path)]


def _programs(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as file:
        yield from sorted(entry.removesuffix(".json") for entry in file.namelist() if entry.endswith(".json"))


def read(path: Path, name: str) -> tuple[str, str, list[dict[str, Any]]]:
    """The source of a program, its native result, and what was saved of it."""
    with zipfile.ZipFile(path) as file:
        native, times = json.loads(file.read(f"{name}.json"))
        data = [base64.b64encode(file.read(f"{name}.{number}")).decode() for number in range(len(times))]
        source = file.read(f"{name}.py").decode()
    return source, native, [{"now": now, "data": each} for now, each in zip(times, data, strict=True)]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    make(sys.argv[1])
