"""CPython's tests of asyncio run natively, rewritten, as durable instances, and as instances in soft torture."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from .comparison import Outcome, run
from .worker import DURABLE, NATIVE, PASSED, REWRITTEN, SKIPPED, TORTURED

FILES = tuple(
    f"test_asyncio.{name}"
    for name in (
        "test_tasks",
        "test_taskgroups",
        "test_timeouts",
        "test_locks",
        "test_queues",
        "test_runners",
        "test_waitfor",
        "test_futures",
        "test_threads",
        "test_eager_task_factory",
        "test_graph",
        "test_context",
        "test_pep492",
    )
    if importlib.util.find_spec(f"test.test_asyncio.{name}") is not None  # 3.11 has no eager tasks, call graphs are of 3.14
)
WITHOUT_FRAMES = ("test_asyncio.test_futures", "test_asyncio.test_pep492")  # nothing in it waits at a checkpoint

# Tests that pass natively, and not as instances, each with the reason: by file and name, whatever their class.
EXCEPTIONS: dict[str, str] = {
    "test_tasks.test_error_in_call_soon": (
        "mocks `call_soon` of the loop; the first step of a durable task does not go through that method"
    ),
    "test_tasks.test_log_destroyed_pending_task": (
        "wants a task that nobody refers to be collected while it waits; the tasks of an instance are its state, it keeps them"
    ),
    "test_tasks.test_set_result_causes_invalid_state": (
        "sets the outcome of a task behind its back by `Future.set_result(task, ...)`; the complaint that its step then makes "
        "is that of asyncio's own classes"
    ),
    "test_tasks.test_set_exception_causes_invalid_state": "the same with `Future.set_exception(task, ...)`",
    "test_tasks.test_task_not_crash_without_finalization": (
        "makes a subclass of asyncio's own class of tasks, whose tasks are none of an instance"
    ),
    "test_tasks.test_get_context_uninitialized_segfault": "the same",
    "test_tasks.test_run_coroutine_threadsafe_and_cancel": "sets a task factory that makes tasks of asyncio's own class",
    "test_tasks.test_task_source_traceback": (
        "counts the frames between the caller and the constructor of the task in a traceback of debug mode"
    ),
    "test_runners.test_asyncio_run_loop_factory": (
        "compares the running loop with the one that was made by the factory; in an instance the loop of the instance runs"
    ),
}


@dataclass(frozen=True)
class Conformance:
    """The runs of one file. ``native`` and ``rewritten`` are None if they were not asked for."""

    file: str
    durable: Outcome
    tortured: Outcome
    native: Outcome | None = None
    rewritten: Outcome | None = None

    @property
    def left_out(self) -> int:
        """Number of tests that pass natively and try another implementation of tasks."""
        return sum(self._is_left_out(test) for test in self.native.passes) if self.native is not None else 0

    def _is_left_out(self, test: str) -> bool:
        return any(test.startswith(f"{name}.") for name in self.durable.left_out)

    @property
    def exceptions(self) -> dict[str, str]:
        """The exceptions that this file has, with the reasons."""
        return {name: reason for test in self.durable.outcomes for name, reason in self._exception(test)}

    def _exception(self, test: str) -> list[tuple[str, str]]:
        name = f"{self.file.rpartition('.')[2]}.{test.rpartition('.')[2]}"
        return [(name, EXCEPTIONS[name])] if name in EXCEPTIONS else []

    def problems(self) -> list[str]:
        """Why this file does not conform; empty if it does."""
        found = [f"{kind}: {outcome.failure or 'no test passed'}" for kind, outcome in self._runs() if not outcome.passed]
        for kind, outcome in ((DURABLE, self.durable), (TORTURED, self.tortured)):
            wanted = ["checkpoints"]
            if kind == TORTURED and self.file not in WITHOUT_FRAMES:
                wanted.append("frames rebuilt")
            found += [f"{kind}: no {what}" for what in wanted if not outcome.counts.get(what)]
            found += [f"{test}: {kind}: {text}" for test, text in self._failures(outcome).items()]
        for test in self.native.passes if self.native is not None else ():
            if test not in self.durable.outcomes and not self._is_left_out(test):
                found.append(f"{test}: {DURABLE}: missing")
            if self.rewritten is not None and self.rewritten.outcomes.get(test) != PASSED:
                found.append(f"{test}: {REWRITTEN}: {self.rewritten.details.get(test, 'missing')}")
        return found

    def _runs(self) -> list[tuple[str, Outcome]]:
        runs = ((NATIVE, self.native), (REWRITTEN, self.rewritten), (DURABLE, self.durable), (TORTURED, self.tortured))
        return [(kind, run) for kind, run in runs if run is not None]

    def _failures(self, tried: Outcome) -> dict[str, str]:
        found = {}
        for test, outcome in tried.outcomes.items():
            if outcome == PASSED and self._exception(test):
                found[test] = "is listed as an exception, but passes"
            elif outcome not in (PASSED, SKIPPED) and not self._exception(test) and self._passes_natively(test):
                found[test] = tried.details.get(test, outcome)
        return found

    def _passes_natively(self, test: str) -> bool:
        return self.native is None or self.native.outcomes.get(test) == PASSED


def run_instances(file: str) -> Conformance:
    """Run a file as instances, and natively only if something fails: it may be the machine."""
    found = Conformance(file, run(file, DURABLE), run(file, TORTURED))
    return Conformance(file, found.durable, found.tortured, run(file, NATIVE)) if found.problems() else found


def run_all_ways(file: str) -> Conformance:
    """Run a file in all ways."""
    return Conformance(file, run(file, DURABLE), run(file, TORTURED), run(file, NATIVE), run(file, REWRITTEN))
