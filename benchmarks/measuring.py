"""How to measure: in processes of their own, ours and the limit in turns, medians.

pair = in_turns(runs, partial(apart, ours, 5), partial(apart, bare, 5))
yield at_most(1.3, "what", str(pair), pair.ratio)
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.table import ROOT, duration


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a module-level function gives in a new process; its arguments and what it gives are JSON."""
    return call(sys.executable, function.__module__, function.__qualname__, *arguments)


def call(python: str, module: str, function: str, *arguments: Any) -> Any:
    """The same with another Python, which may have modules that this one has not."""
    process = _begin(python, module, function, arguments)
    printed, _ = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"{module}.{function}{arguments} failed: see above")
    return json.loads(printed.splitlines()[-1])


def killed_every(seconds: float, function: Callable[..., Any], *arguments: Any) -> int:
    """How many processes that call a function were killed, so many seconds after their first lines, until one ended."""
    for kills in itertools.count():
        process = _begin(sys.executable, function.__module__, function.__qualname__, arguments)
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            continue
        if process.returncode != 0:
            raise SystemExit(f"{function.__qualname__}{arguments} failed after {kills} kills: see above")
        return kills
    raise AssertionError("not reached")


def _begin(python: str, module: str, function: str, arguments: tuple[Any, ...]) -> subprocess.Popen[str]:
    command = [python, "-c", "from benchmarks.measuring import answer; answer()", module, function, json.dumps(arguments)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def answer() -> None:
    """In the new process: call the function, print what it gives."""
    module, function, arguments = sys.argv[1:]
    print(json.dumps(getattr(importlib.import_module(module), function)(*json.loads(arguments))))


def processor_seconds(pid: int) -> float:
    """Of a process and its children so far, also of those that have ended; Linux only."""
    own = _fields_of(Path(f"/proc/{pid}/stat"))
    ticks = sum(map(int, own[11:15]))
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            fields = _fields_of(file)
            ticks += sum(map(int, fields[11:13])) if fields[1] == str(pid) else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def _fields_of(file: Path) -> list[str]:
    """From the state on: the name before it may have any characters."""
    return file.read_text().rpartition(")")[2].split()


@dataclass(frozen=True)
class Pair:
    """Seconds, ours and those of what it is compared with, measured in turns."""

    ours: tuple[float, ...]
    other: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Ours / the other: the median of the ratios of neighbours, so that what disturbs both disturbs it little."""
        return statistics.median(mine / theirs for mine, theirs in zip(self.ours, self.other, strict=True))

    @property
    def times_faster(self) -> float:
        """The other / ours."""
        return 1 / self.ratio

    def __str__(self) -> str:
        return f"{duration(statistics.median(self.ours))} / {duration(statistics.median(self.other))}"


def in_turns(runs: int, ours: Callable[[], float], other: Callable[[], float]) -> Pair:
    """Measure both, A B A B, that often."""
    found = [(ours(), other()) for _ in range(runs)]
    mine, theirs = zip(*found, strict=True)
    return Pair(mine, theirs)


def medians(runs: int, measure: Callable[[], list[float]]) -> list[float]:
    """The median of each of the values that ``measure`` gives."""
    return [statistics.median(values) for values in zip(*(measure() for _ in range(runs)), strict=True)]
