"""Snapshots saved by each Python and resumed by each, as a table: ``python -m tests.versions.matrix [PROGRAM ...]``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.harness.crossing import Worker
from tests.harness.interpreters import Version, interpreters, name_of
from tests.harness.rewriting import PROGRAMS

PLACES = 3  # at which each program is left
NAMES = (
    # tasks, groups, timeouts, and what tasks wait for
    "c001_gather_order", "c002_gather_return_exceptions", "c004_gather_cancelled", "c005_taskgroup_results",
    "c007_nested_taskgroups", "c009_taskgroup_cancelled_outside", "c014_wait_modes", "c015_wait_timeout", "c016_wait_for",
    "c017_as_completed", "c018_shield", "c019_timeout_reschedule", "c020_nested_timeouts", "c025_queue_join",
    "c027_bounded_queue", "c029_lock_fairness", "c030_events", "c031_condition_notify", "c032_condition_wait_for",
    "c033_semaphore_order", "c035_barrier", "c046_context_variables", "c086_lazy_singletons", "c217_as_completed_held",
    # statements, exceptions, managers
    "p001_operand_order", "p017_match_patterns", "p025_try_every_clause", "p027_finally_while_leaving", "p033_except_star",
    "p035_with_order", "p038_async_with_errors", "p040_asynccontextmanager", "p042_async_exit_stack", "p117_context_and_cause",
    "p120_exception_groups",
    # generators, comprehensions, iterators, coroutines
    "p008_comprehension_forms", "p010_async_generator_expressions", "p055_async_generator_protocol", "p059_generator_send_throw",
    "p060_yield_from", "p065_coroutine_objects", "p090_async_comprehension_scopes", "p130_enumerate_zip_map_filter",
    "p131_itertools_infinite", "p132_itertools_combining", "p133_itertools_combinatorics", "p134_tee_and_groupby",
    "p135_groupby_loop", "p206_iterators_side_by_side", "p139_generator_expressions_held",
    # closures, classes, annotations
    "p044_closures_shared", "p046_super_and_class_cell", "p162_dataclasses", "p165_local_classes", "p167_abc_generic_protocol",
    "p240_annotations_of_local_definitions", "p242_annotated_data_classes", "p243_annotations_as_text",
    "p244_local_pydantic_models", "p247_annotations_of_every_kind",
    # module data, context variables, values of the standard library
    "p155_module_containers", "p159_context_variables", "p169_lru_cache", "p170_collections", "p173_dates_and_zones",
    "p177_random_sequence", "p178_paths_and_json",
)  # fmt: skip


class Outcome(NamedTuple):
    """What a snapshot that ``saved`` made gave under ``resumed``."""

    saved: Version
    resumed: Version
    place: int
    is_right: bool
    given: str  # the result, or what was raised


class Matrix:
    """A worker of each Python that is here."""

    def __init__(self) -> None:
        self.workers = {version: Worker(executable) for version, executable in interpreters().items()}

    def outcomes(self, program: Path) -> list[Outcome]:
        """Run a program under each Python, and go on with its snapshots under each.

        Raises AssertionError if a run does not give what the program gives natively, which is the same everywhere.
        """
        runs = self._ask({"program": str(program), "places": PLACES}, self.workers)
        runs = {version: run for version, run in runs.items() if not lacks_package(run)}
        assert runs, f"no Python here has the packages of {program.stem}"
        expected = {run.get("native") for run in runs.values()}
        for version, run in runs.items():
            assert "error" not in run, f"{program.stem} on {name_of(version)}: {run['error']}"
            assert {run["result"]} == expected, f"{program.stem} on {name_of(version)}: {run['result']}, natively {expected}"
        saved = [(version, place) for version, run in runs.items() for place in range(len(run["snapshots"]))]
        snapshots = [runs[version]["snapshots"][place] for version, place in saved]
        answers = self._ask({"program": str(program), "snapshots": snapshots}, runs)
        return [
            Outcome(version, resumed, place, {answer.get("result")} == expected, answer.get("error") or answer["result"])
            for resumed, given in answers.items()
            for (version, place), answer in zip(saved, given, strict=True)
        ]

    def _ask(self, job: dict[str, Any], versions: Iterable[Version]) -> dict[Version, Any]:
        """What each of these Pythons answers."""
        workers = {version: self.workers[version] for version in versions}
        for worker in workers.values():
            worker.begin(job)
        return {version: worker.answer() for version, worker in workers.items()}

    def end(self) -> None:
        """End the workers."""
        for worker in self.workers.values():
            worker.end()


def lacks_package(run: dict[str, Any]) -> bool:
    """Whether a program did not run because it needs a package that is not installed."""
    missing = re.search(r"ModuleNotFoundError: No module named '(\w+)", run.get("error", ""))
    return missing is not None and missing[1] not in sys.stdlib_module_names


def table(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Lines: for each pair of Pythons, how many snapshots gave what the program gives natively."""
    counted: dict[tuple[Version, Version], list[bool]] = {}
    for outcome in outcomes:
        counted.setdefault((outcome.saved, outcome.resumed), []).append(outcome.is_right)
    versions = sorted({saved for saved, _ in counted})
    yield "saved by \\ resumed by".ljust(22) + "".join(name_of(v).rjust(12) for v in versions)
    for saved in versions:
        cells = [counted[saved, resumed] for resumed in versions]
        yield name_of(saved).ljust(22) + "".join(f"{sum(cell)} of {len(cell)}".rjust(12) for cell in cells)


def failures(outcomes: Iterable[Outcome]) -> list[str]:
    """A line for each snapshot that gave something else, the end of what it gave."""
    return [
        f"{name_of(o.saved)} to {name_of(o.resumed)}, place {o.place}: {o.given.strip().splitlines()[-1]}"
        for o in outcomes
        if not o.is_right
    ]


def main(names: list[str]) -> int:
    """Print the table of all programs; the exit status says whether every snapshot went on."""
    matrix, found, wrong = Matrix(), [], []
    for path in paths(names):
        outcomes = matrix.outcomes(path)
        found += outcomes
        wrong += [f"{path.stem}: {line}" for line in failures(outcomes)]
    matrix.end()
    print(*table(found), *wrong, sep="\n")
    return bool(wrong)


def paths(names: Iterable[str]) -> list[Path]:
    """The files of programs by name; of all those of the matrix without names."""
    return [next(PROGRAMS.rglob(f"{name}.py")) for name in names or NAMES]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
