"""What it costs to import rewritten modules, against the same ones as they are; both with cached bytecode (warm) and without.

The modules are made of ``loaded/typical.py``. Each import is one of a new process, which is told to import them marked or
unmarked; what counts is its processor time, the least of three processes. The time of the hook's own imports
(``import durable_import``, and cold the rewriter's) is not in it, as it does not grow with the modules; it has its own rows.
"""

from __future__ import annotations

import gc
import importlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.measuring import apart, in_turns
from benchmarks.table import ROOT, Row, at_most, duration

WARM, COLD = 1.1, 6.0  # at most
OWN_IMPORT = 0.06  # seconds at most of ``import durable_import``
SIZES = (300, 600, 1000)  # lines of a module
SEVERAL, MANY = 5, 100  # modules
PROCESSES = 3  # of which the fastest counts
TYPICAL = ROOT / "benchmarks" / "loaded" / "typical.py"


def rows(runs: int) -> Iterator[Row]:
    """Of the table of targets."""
    for lines in SIZES:
        yield from compare(runs, SEVERAL, lines)
    yield from compare(runs, MANY, SIZES[0])
    yield exchanged(runs, SEVERAL, SIZES[1])
    yield own_import("durable_import itself", "import durable_import", "", OWN_IMPORT, runs)
    yield own_import("the rewriter", "import durable_import.rewrite.compiler", "import durable_import", None, runs)


def compare(runs: int, count: int, lines: int) -> Iterator[Row]:
    """Modules of one size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in ("marked", "plain"):
            write(folder / kind, count, lines, kind)
        ours, other = (partial(measured, folder / kind, count, kind) for kind in ("marked", "plain"))
        what = f"import of {count} modules of {lines} lines"
        cold = in_turns(runs, partial(ours, is_warm=False), partial(other, is_warm=False))
        yield at_most(COLD, f"{what}: marked / plain, cold", str(cold), cold.ratio)
        warm = in_turns(runs, ours, other)
        yield at_most(WARM, f"{what}: marked / plain, warm", str(warm), warm.ratio)


def measured(folder: Path, count: int, kind: str, is_warm: bool = True) -> float:
    """Seconds of processor time that the modules of a folder take in a new process."""
    if not is_warm:
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
        return float(apart(import_all, str(folder), count, kind))
    return min(float(apart(import_all, str(folder), count, kind)) for _ in range(PROCESSES))


def exchanged(runs: int, count: int, lines: int) -> Row:
    """What is done when a runtime comes to be: the fast variants of modules are loaded, or made if they are not cached."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "marked"
        write(folder, count, lines, "marked")
        warm, cold = [], []
        for _ in range(runs):
            shutil.rmtree(folder / "__pycache__", ignore_errors=True)
            cold.append(apart(exchange_all, str(folder), count))
            warm.append(apart(exchange_all, str(folder), count))
    values = f"{duration(statistics.median(warm))} cached, {duration(statistics.median(cold))} not cached"
    return Row(f"the first runtime begins after the import of {count} modules of {lines} lines", values, None, "", None)


def exchange_all(folder: str, count: int) -> float:
    """Seconds of processor time until the imported modules of a folder run in their fast variant."""
    import_all(folder, count, "marked")
    from durable_import.frames import ambient
    from durable_import.hook import exchange  # noqa: F401  it does not grow with the modules

    begun = time.process_time()
    ambient.switch_on("a runtime")
    return time.process_time() - begun


def text_of(lines: int) -> str:
    """A module of about that many lines."""
    head, repeated = TYPICAL.read_text().split("# --- repeated\n")
    text, number = head, 0
    while text.count("\n") < lines:
        number += 1
        text += repeated.replace("_1", f"_{number}")
    return text


def write(folder: Path, count: int, lines: int, kind: str) -> None:
    """Modules ``benchmarked_0``, ... that differ in a constant."""
    folder.mkdir()
    mark = "# durable: on"
    for number in range(count):
        text = f"{text_of(lines)}\nNUMBER = {number}\n"
        assert text.startswith(mark)
        (folder / f"benchmarked_{number}.py").write_text(text if kind == "marked" else text.replace(mark, "# as it is   ", 1))


def import_all(folder: str, count: int, kind: str) -> float:
    """Seconds of processor time that the modules of a folder take."""
    import durable_import

    sys.dont_write_bytecode = False
    sys.path.insert(0, folder)
    if kind == "marked":
        durable_import.install()
        from durable_import.rewrite import compiler  # noqa: F401  only a cold import needs it
    import benchmarks.loaded.typical  # noqa: F401  and with it what the modules import

    gc.collect()
    gc.disable()
    begun = time.process_time()
    for number in range(count):
        importlib.import_module(f"benchmarked_{number}")
    return time.process_time() - begun


def own_import(what: str, statement: str, before: str, limit: float | None, runs: int) -> Row:
    """How long a statement takes in a new process, after another one."""
    code = f"import time; {before}\nbegun = time.perf_counter(); {statement}; print(time.perf_counter() - begun)"
    found = []
    for _ in range(max(runs, 5)):
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        found.append(float(done.stdout))
    seconds = statistics.median(found)
    target = f"<= {duration(limit)}" if limit is not None else ""
    return Row(f"import of {what}", duration(seconds), None, target, None if limit is None else seconds <= limit)
