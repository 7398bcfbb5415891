"""Crash torture: a program under `python -m durable_import run`, killed in the middle of every effect, resumed each time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
PROGRAMS = REPOSITORY / "tests" / "programs"
RUN = ("-m", "durable_import", "run")
PATIENCE = 180.0  # seconds for one process, which only ends what hangs


@dataclass
class Outcome:
    """What a program did, in each of its processes: what it printed, and the effects it caused."""

    printed: list[str] = field(default_factory=list)
    effects: list[list[str]] = field(default_factory=list)


def environment(**more: str) -> dict[str, str]:
    """Variables for a process that imports durable_import from this checkout and `world` from the programs' folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DURABLE_", "PYTHON"))}
    kept.pop("EFFECT_LOG", None)
    kept.pop("KILL_AT", None)
    return {**kept, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(PROGRAMS)]), **more}


def ahead(seconds: float) -> dict[str, str]:
    """Variables for a process that begins so much later, by its clock: what it has to wait for since has come nearer."""
    path = [str(REPOSITORY / "tests" / "harness" / "ahead"), environment()["PYTHONPATH"]]
    return {"AHEAD": str(seconds), "PYTHONPATH": os.pathsep.join(path)}


def run_native(path: Path, python: str, folder: Path) -> Outcome:
    """The program as it is."""
    log = folder / "effects"
    done = _process([python, str(path)], folder, {"EFFECT_LOG": str(log)})
    if done.returncode:
        raise AssertionError(f"{path.name} fails natively with status {done.returncode}:\n{done.stderr}")
    return Outcome([done.stdout], [_lines(log)])


def run_killed(path: Path, python: str, folder: Path, most: int, pace: int = 0) -> Outcome:
    """The program with a SIGKILL in the middle of an effect, a new process after each kill; at most ``most`` kills.

    ``pace`` 0 kills every effect; with 1 each process gets one effect further than the one before it, so that a step of
    several effects gets done.
    """
    log = folder / "effects"
    seen = Outcome()
    while (kills := len(seen.printed)) <= most:
        begun = len(_lines(log))
        # the killed effect happens again, so the next one to kill is the second from here
        at = begun + (2 + pace * kills if kills else 1)
        done = _process([python, *RUN, str(path)], folder, {"EFFECT_LOG": str(log), "KILL_AT": str(at)})
        seen.printed.append(done.stdout)
        seen.effects.append(_lines(log)[begun:])
        if done.returncode == 0:
            return seen
        if done.returncode != -signal.SIGKILL:
            raise AssertionError(f"{path.name} ends with status {done.returncode} after {kills} kills:\n{done.stderr}")
    raise AssertionError(f"{path.name} repeats effects without end: {seen.effects}")


def crash_torture(path: str | os.PathLike[str], python: str = sys.executable, *, repeats: bool = False) -> str:
    """The repr of the program's result, printed after a SIGKILL in the middle of each of its effects.

    Raises AssertionError when it printed anything else than natively, or when its effects are not the native ones, each
    exactly once and once more for its kill. ``repeats``: for a program whose steps cause several effects each, or that
    flushes what it prints; a process then repeats what the one before it did since its last checkpoint.
    """
    path = Path(path).resolve()
    with tempfile.TemporaryDirectory() as native_folder, tempfile.TemporaryDirectory() as folder:
        native = run_native(path, python, Path(native_folder))
        crashed = run_killed(path, python, Path(folder), most=len(native.effects[0]), pace=int(repeats))
    assert native.effects[0], f"{path.name} has no effects, or does not run its main()"
    if repeats:
        assert is_relay(crashed.effects, native.effects[0]), f"{path.name}: {crashed.effects}, of {native.effects[0]}"
        lines = [printed.splitlines() for printed in crashed.printed]
        assert is_relay(lines, native.printed[0].splitlines()), f"{path.name} printed {lines}, of {native.printed}"
    else:
        twice = [effect for effect in native.effects[0] for _ in range(2)]
        effects = [effect for life in crashed.effects for effect in life]
        assert effects == twice, f"effects of {path.name}: {effects}, expected {twice}"
        assert "".join(crashed.printed) == native.printed[0], f"{path.name}: {crashed.printed}, natively {native.printed}"
    return crashed.printed[-1].splitlines()[-1]


def concurrent_crash_torture(path: str | os.PathLike[str], python: str = sys.executable) -> None:
    """The same for a program of many tasks: an effect that is in flight when another one is killed happens again as well.

    Raises AssertionError when it printed anything else than natively, left an effect out, or caused one more often than
    once and once more for each kill.
    """
    path = Path(path).resolve()
    with tempfile.TemporaryDirectory() as native_folder, tempfile.TemporaryDirectory() as folder:
        native = run_native(path, python, Path(native_folder))
        crashed = run_killed(path, python, Path(folder), most=len(native.effects[0]), pace=1)
    kills = len(crashed.effects) - 1
    expected = Counter(native.effects[0])
    seen = Counter(effect for life in crashed.effects for effect in life)
    assert kills > 0 or not expected, f"{path.name} was never killed"
    assert crashed.printed[-1] == native.printed[0], f"{path.name}: {crashed.printed}, natively {native.printed}"
    assert seen.keys() == expected.keys(), f"effects of {path.name}: {crashed.effects}, of {native.effects}"
    assert all(expected[e] <= seen[e] <= expected[e] + kills for e in seen), f"effects of {path.name}: {crashed.effects}"


def is_relay(lives: list[list[str]], whole: list[str]) -> bool:
    """Whether each life is a stretch of the whole that begins where the one before it ended, or earlier; to the end."""
    starts, ends = {0}, {0}  # where the next life may begin, where the last one may have ended
    for life in lives:
        found = {i for i in starts if whole[i : i + len(life)] == life}
        if not found:
            return False
        ends = {i + len(life) for i in found}
        starts = set(range(min(found), max(ends) + 1))
    return len(whole) in ends


def _process(command: list[str], folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def _lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []
