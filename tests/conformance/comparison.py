"""One test file of CPython run natively and rewritten, each in a process of its own, and compared test by test.

Rewritten it runs twice: without a runtime, and while one exists.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import test as cpython_tests  # type: ignore[import-not-found]

from .worker import FAILED, NATIVE, PASSED, PLAIN, REWRITTEN


def _has(*names: str) -> bool:
    """Whether this Python's tests have a module."""
    folder = Path(cpython_tests.__file__).parent.joinpath(*names)
    return folder.is_dir() or folder.with_suffix(".py").exists()


FILES = tuple(
    name
    for name in (
        "test_coroutines",
        "test_asyncgen",
        "test_contextlib_async",
        "test_contextlib",
        "test_generators",
        "test_genexps",
        "test_generator_stop",
        "test_yield_from",
        "test_with",
        "test_patma",
        "test_except_star",
        "test_exceptions",
        "test_listcomps",
        "test_setcomps",
        "test_dictcomps",
        "test_unpack",
        "test_unpack_ex",
        "test_type_annotations",
        "test_type_params",
        "test_annotationlib",
        "test_tstring",
        "test_string.test_templatelib",
        "test_lazy_import",
    )
    if _has(*name.split("."))
)
TIME_LIMIT = 300  # seconds for one run of one file
ROOT = Path(__file__).parents[2]

# Tests that pass natively and may fail rewritten, each with the reason. At most five in all files and versions together.
EXCEPTIONS: dict[str, str] = {}
assert len(EXCEPTIONS) <= 5


@dataclass(frozen=True)
class Outcome:
    """What one run of a file gave: outcomes and failure texts by test. ``failure``: why there are none, else empty.

    Of instances also: how many checkpoints and rebuilt frames there were, and the classes of tests that were left out.
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    failure: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    @property
    def passed(self) -> int:
        """Number of tests that passed."""
        return len(self.passes)

    @property
    def passes(self) -> list[str]:
        """The tests that passed."""
        return [test for test, outcome in self.outcomes.items() if outcome == PASSED]


@dataclass(frozen=True)
class Comparison:
    """The runs of one file."""

    file: str
    native: Outcome
    plain: Outcome
    rewritten: Outcome

    @property
    def differences(self) -> dict[str, str]:
        """Tests that pass natively but not rewritten, with what happened instead."""
        return {
            test: f"{other} ({kind})"
            for test, outcome in self.native.outcomes.items()
            for kind, run in ((PLAIN, self.plain), (REWRITTEN, self.rewritten))
            if outcome == PASSED != (other := run.outcomes.get(test, "missing"))
        }

    @property
    def problems(self) -> list[str]:
        """Why this file does not conform; empty if it does."""
        found = []
        for kind, run in ((NATIVE, self.native), (PLAIN, self.plain), (REWRITTEN, self.rewritten)):
            if run.failure:
                found.append(f"{kind}: {run.failure}")
            elif not run.passed:
                found.append(f"{kind}: no test passed")
        for test, other in self.differences.items():
            if test not in EXCEPTIONS:
                details = self.rewritten.details.get(test) or self.plain.details.get(test, "")
                found.append(f"{test}: {other} when rewritten\n{details}")
        return found


def compare(file: str) -> Comparison:
    """Run a file of the standard library's ``test`` package in all ways."""
    return Comparison(file, run(file, NATIVE), run(file, PLAIN), run(file, REWRITTEN))


def run(file: str, kind: str) -> Outcome:
    """Run a file one way."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-B", "-m", "tests.conformance.worker", f"test.{file}", kind, str(report)]
        try:
            process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIME_LIMIT, check=False)
        except subprocess.TimeoutExpired:
            return Outcome(failure=f"not done after {TIME_LIMIT} s")
        if process.returncode or not report.exists():
            return Outcome(failure=f"exit status {process.returncode}\n{process.stderr[-2000:]}")
        return Outcome(**json.loads(report.read_text()))


def failed_natively(comparison: Comparison) -> int:
    """Number of tests that do not pass natively on this machine: they say nothing about the rewriter."""
    return sum(outcome == FAILED for outcome in comparison.native.outcomes.values())
