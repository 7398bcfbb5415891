"""The programs in ``examples/``, killed with SIGKILL in the middle and run again, against one run by plain Python."""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.harness.processes import Desk

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
TIMEOUT = 120  # seconds, of one run


@dataclass
class Outcome:
    """All runs of one program until its end: what they printed together, and how many were killed."""

    printed: str = ""
    notices: list[str] = field(default_factory=list)
    kills: int = 0


def environment() -> dict[str, str]:
    """That of a user who has installed this checkout."""
    return os.environ | {"PYTHONPATH": str(ROOT)}


def run_natively(folder: Path, example: str, *arguments: str) -> str:
    """Run an example by plain Python in ``folder``; gives what it printed."""
    command = [sys.executable, str(ROOT / "examples" / example), *arguments]
    ended = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=TIMEOUT)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def run_and_kill(folder: Path, example: str, *arguments: str, moments: list[float], last_words: str) -> Outcome:
    """Run an example with durable_import in ``folder`` until it ends; ``moments``: seconds after which a run is killed.

    They count from the notice that the program begins or goes on, and those left over at the end are not used. A run
    that was killed after it had printed ``last_words`` is the last one: it had nothing left to do. What a run has said that was
    killed before its first checkpoint does not count.
    """
    command = [sys.executable, "-m", "durable_import", "run", str(ROOT / "examples" / example), *arguments]
    outcome = Outcome()
    for moment in [*moments, None]:
        with subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            notice = process.stderr.readline()
            if "starting instance" in notice:  # the first, or the one before was killed before its first checkpoint
                outcome = Outcome(kills=outcome.kills)
            outcome.notices.append(notice)
            try:
                printed, errors = process.communicate(timeout=TIMEOUT if moment is None else moment)
            except subprocess.TimeoutExpired:
                process.kill()
                printed, errors = process.communicate()
                outcome.kills += moment is not None
                assert moment is not None, f"it did not end: {outcome}"
            outcome.printed += printed
        if process.returncode == 0 or last_words in outcome.printed:
            return outcome
        assert process.returncode == -9, f"exit status {process.returncode}: {outcome.notices[-1]}{errors}"
    raise AssertionError(f"it did not end: {outcome}")


def rows(database: Path) -> list[tuple[object, ...]]:
    """All of the index of files."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT * FROM files ORDER BY name").fetchall()


def contents(folder: Path) -> dict[str, str]:
    """The files of a folder."""
    return {path.name: path.read_text() for path in folder.iterdir()}


def random_moments(count: int, longest: float) -> list[float]:
    """Moments to kill at, the same in each run of the tests."""
    generator = random.Random(count)
    return [generator.uniform(0.05, longest) for _ in range(count)]


def report(printed: str, first_word: str) -> str:
    """The end of what an example printed, from the line that begins with a word on."""
    found = re.search(rf"^{first_word}", printed, re.MULTILINE)
    assert found is not None, printed
    return printed[found.start() :]


def without_times(printed: str) -> str:
    """What was printed, without seconds."""
    return re.sub(r"[\d.]+ s\b", "", printed)


def different_lines(printed: str) -> list[str]:
    """The lines, a repeated one once: killed between a line and the next checkpoint, a program prints that line again."""
    return list(dict.fromkeys(printed.splitlines()))


def test_index_is_that_of_an_uninterrupted_run(tmp_path: Path) -> None:
    """The index and the report of the standard library are the same after eight kills as after none."""
    arguments = ["--limit", "60", "--max-size", "50000", "--pause", "0.02"]
    native = run_natively(tmp_path, "index_stdlib.py", *arguments, "--database", "native.db")
    outcome = run_and_kill(
        tmp_path,
        "index_stdlib.py",
        *arguments,
        "--database",
        "killed.db",
        moments=random_moments(8, 0.6),
        last_words=native.splitlines()[-1],
    )
    assert outcome.kills >= 4
    assert outcome.notices[0].startswith("durable_import: starting instance index_stdlib-")
    resuming = r"durable_import: resuming instance index_stdlib-\w+ at \S+index_stdlib\.py:\d+ \(checkpoint \d+\)\n"
    assert all(re.fullmatch(resuming, notice) for notice in outcome.notices[1:])
    assert report(outcome.printed, "Indexed") == report(native, "Indexed")
    assert rows(tmp_path / "killed.db") == rows(tmp_path / "native.db")


def test_orders_have_their_effects_once(tmp_path: Path) -> None:
    """Orders are shipped, tried again and undone, and their effects are the same after eight kills as after none."""
    native = run_natively(tmp_path, "order_flow.py", "--delay", "0.1", "--folder", "native")
    outcome = run_and_kill(
        tmp_path,
        "order_flow.py",
        "--delay",
        "0.1",
        "--folder",
        "killed",
        moments=random_moments(8, 0.4),
        last_words=native.splitlines()[-1],
    )
    assert outcome.kills >= 4
    assert report(outcome.printed, "order 1 was") == report(native, "order 1 was")
    assert contents(tmp_path / "killed") == contents(tmp_path / "native")


def test_crawl_reaches_the_same_modules(tmp_path: Path) -> None:
    """All workers of a crawl over HTTP go on after each of eight kills, and it finds what an uninterrupted run finds."""
    arguments = ["--pause", "0.02", "--workers", "8"]
    native = run_natively(tmp_path, "crawl_imports.py", *arguments)
    outcome = run_and_kill(
        tmp_path, "crawl_imports.py", *arguments, moments=random_moments(8, 1.5), last_words=native.splitlines()[-1]
    )
    assert outcome.kills >= 4
    assert all("resuming" in notice for notice in outcome.notices[1:])
    assert report(outcome.printed, "pydoc needs") == report(native, "pydoc needs")


def test_remaining_time_survives(desk: Desk, tmp_path: Path) -> None:
    """A wait that is killed ends when it would have ended, and the beats are those of an uninterrupted run."""
    native = run_natively(tmp_path, "heartbeat.py", "--beats", "2", "--every", "0.1")
    command = (str(ROOT / "examples" / "heartbeat.py"), "--beats", "2", "--every", "3600")
    due, printed = [], ""
    for later, words in ((0, "for beat 1"), (1800, ""), (3599, "for beat 2"), (5400, "")):
        running = desk.start(*command, later=later)
        running.wait_for("instance heartbeat-")
        running.wait_for(words)
        running.wait_until(lambda: desk.statuses() == ["sleeping"])
        [(wake_at,)] = desk.rows("SELECT wake_at FROM instance")
        due.append(float(str(wake_at)))
        running.send(signal.SIGKILL)
        printed += running.end().out
    printed += desk.run(*command, later=7199).out
    assert due[0] == due[1] <= due[2] - 3600
    assert due[2] == due[3]
    assert different_lines(without_times(printed)) == different_lines(without_times(native))


def test_program_of_the_readme_goes_on(tmp_path: Path) -> None:
    """The program that README.md begins with prints the same lines when it is killed."""
    found = re.search(r"```python\n(# durable: on\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found is not None
    program = tmp_path / "pages.py"
    program.write_text(found[1])
    native = run_natively(tmp_path, str(program))
    outcome = run_and_kill(tmp_path, str(program), moments=[1.5, 0.5], last_words=native.splitlines()[-1])
    assert outcome.kills == 2
    assert different_lines(outcome.printed) == different_lines(native)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_docstring_says_how_to_run_it(example: Path) -> None:
    """Each example is marked, and says by which command it is run."""
    text = example.read_text()
    assert text.startswith("# durable: on\n")
    assert re.search(rf"^    python -m durable_import run (.* )?examples/{example.name}\b", text, re.MULTILINE)


def test_documented_rewriting_is_that_of_today(tmp_path: Path) -> None:
    """The rewritten code that docs/how-it-works.md shows is what `show-rewritten` prints."""
    document = (ROOT / "docs" / "how-it-works.md").read_text()
    found = re.search(r"```python\n(.*?)```", document, re.DOTALL)
    assert found is not None
    program = tmp_path / "shop.py"
    program.write_text(found[1])
    for options in ([], ["--function", "total"]):
        command = [sys.executable, "-m", "durable_import", "show-rewritten", "shop.py", *options]
        shown = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
        assert f"```\n{shown.stdout}```\n" in document
