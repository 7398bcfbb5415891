"""``run``: a script, or a module, as a durable program. What it prints goes to stdout untouched; we speak on stderr."""

from __future__ import annotations

import atexit
import gc
import math
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn

from .. import DurableError, PauseForEventException, StoreError
from ..api.exporting import export_telemetry
from ..api.marking import mark_file
from ..api.program import Program, ProgramError, Target, UnmarkedError, default_instance_id, find_program, set_arguments
from ..api.session import Failure, Session, Standing, Summary, run_apart
from ..api.tracebacks import without_machinery
from .speech import OURS, SUSPENDED, USAGE, say, shown_store

FULL_COLLECTIONS = 1000  # middle ones between two that look at all objects: thousands of instances have millions of these

MOST_LISTED = 5  # steps that ran after a failure
LONG_WAIT = 1.0  # seconds: shorter sleeps are slept in spite of --exit-on-wait
UNSAVED = 1  # the number of the state in which an instance ends that had no checkpoint but that of its beginning
PATIENCE = 10.0  # seconds that commits under way have to finish when the process is left


def run(
    target: Target,
    *,
    store: str,
    instance_id: str | None,
    fresh: bool,
    old_code: bool = False,
    from_failure: bool = False,
    exit_on_wait: bool = False,
    hold_limit: float | None = None,
    mark: bool = False,
    telemetry: bool = False,
) -> int:
    """Run a program to its end, or go on with it; gives the exit status."""
    try:
        program = _find(target, mark)
        name = instance_id or default_instance_id(target, program)
        command = _Run(store, name, exit_on_wait, hold_limit, old_code=old_code, from_failure=from_failure, telemetry=telemetry)
        atexit.register(command.at_exit)  # before all that the script may register: it is called last
        if telemetry:
            export_telemetry()
        run_apart(command.session.check_free())
        if fresh:
            run_apart(command.session.forget())
    except ProgramError as error:
        say(str(error))
        return USAGE
    except DurableError as error:
        say(f"error: {error}")
        return OURS
    set_arguments(program, target.arguments)
    return command.execute(program)


def _find(target: Target, mark: bool) -> Program:
    """The program, marked first if that is asked for. Raises ProgramError."""
    try:
        return find_program(target)
    except UnmarkedError as error:
        if not mark:
            raise
        mark_file(error.file)
        say(f"{error.file} has the comment `# durable: on` now")
        return find_program(target)


class _Run:
    """One run, and what is said of it."""

    def __init__(
        self,
        store: str,
        base: str,
        exit_on_wait: bool,
        hold_limit: float | None,
        *,
        old_code: bool,
        from_failure: bool,
        telemetry: bool,
    ) -> None:
        self._process = os.getpid()
        self._store = shown_store(store)
        self._moved: dict[str, str] = {}  # what is to be said of instances that go on
        self._was_held = False
        self._is_over = False  # there is nothing to go on with
        self._is_done = False  # it has ended well
        on_wait = self._exit_for if exit_on_wait else None
        policy: Any = "pin" if old_code else "move"
        options = {"from_failure": from_failure, "telemetry": telemetry}
        self.session = Session(store, base, self, on_wait, self._refused, hold_limit, policy, **options)

    # --- what the runtime tells

    def starting(self, instance_id: str) -> None:
        """An instance begins."""
        say(f"starting instance {instance_id} in {self._store}")

    def resuming(self, instance_id: str, state: Standing) -> None:
        """An instance goes on from its last state."""
        again = "retrying" if state.status == "failed" else "resuming"
        moved = self._moved.pop(instance_id, "")
        say(f"{again} instance {instance_id} at {_place(state)} (checkpoint {state.checkpoint}){moved}")

    def moved(self, instance_id: str, sentence: str) -> None:
        """An instance is about to go on in code that has changed."""
        self._moved[instance_id] = f" in {sentence}"

    def held(self, instance_id: str, sentence: str) -> None:
        """An instance is not saved for now."""
        self._was_held = True
        say(f"instance {instance_id} is {sentence}")

    # --- the program

    def execute(self, program: Program) -> int:
        """Execute the program; gives the exit status."""
        gc.freeze()  # what stands now stays to the end: collections, and the last ones above all, need not look at it
        young, middle, old = gc.get_threshold()
        gc.set_threshold(young, middle, max(old, FULL_COLLECTIONS) if old else 0)
        try:
            self.session.execute(program, self._suspend)
        except SystemExit as error:
            status = _exit_status(error)
        except PauseForEventException as error:
            say(f"instance {self.session.base} is waiting for event {error.event!r}")
            return SUSPENDED
        except BaseException as error:
            return self._failed(error)
        else:
            status = 0
        unfinished = self._unfinished() if status else []
        self._offer_retry(unfinished)
        self._is_over, self._is_done = not unfinished, not status
        return status

    def at_exit(self) -> None:
        """Forget a run that is over, when its threads and exit handlers have ended too: if the process is killed before, what
        stands behind ``asyncio.run`` gets the result that is kept. A process that was forked off has no part in that."""
        if not self._is_over or os.getpid() != self._process:
            return
        _flush()
        try:
            forgotten = run_apart(self.session.forget())
        except StoreError as error:
            say(f"error: the finished run could not be removed from the store: {error}")
            return
        if self._is_done and all(each.checkpoint <= UNSAVED for each in forgotten):
            say(_nothing_saved(forgotten, was_held=self._was_held))

    def _failed(self, error: BaseException) -> int:
        if isinstance(error, DurableError):
            self._refused(error)
        without_machinery(error)
        sys.excepthook(type(error), error, error.__traceback__)
        self._offer_retry(self._unfinished())
        if isinstance(error, KeyboardInterrupt):
            return 130
        return 1

    def _refused(self, error: DurableError) -> NoReturn:
        """It cannot go on: leave everything as it was, and the process, whatever else keeps it alive."""
        say("\n".join([f"error: {error}", *getattr(error, "__notes__", [])]))
        _leave(OURS)

    def _offer_retry(self, unfinished: list[Summary]) -> None:
        for each in unfinished:
            failure = self._failure(each.instance_id)
            place = f"{_place(failure or each)} (checkpoint {(failure or each).checkpoint})"
            if failure is not None and failure.steps:
                say(
                    f"instance {each.instance_id} failed, and steps of the program ran while the exception was on its way out: "
                    f"{_listed(failure.steps)}. Run the same command again with --from-failure to try again from {place}, or "
                    "with --fresh to start over"
                )
                continue
            say(
                f"instance {each.instance_id} failed; run the same command again to try again from {place}, or with --fresh to "
                "start over"
            )

    def _failure(self, instance_id: str) -> Failure | None:
        try:
            return run_apart(self.session.failure(instance_id))
        except DurableError as error:
            say(f"error: {error}")
            return None

    def _unfinished(self) -> list[Summary]:
        try:
            return run_apart(self.session.unfinished())
        except StoreError as error:
            say(f"error: {error}")
            return []

    # --- left before its end

    def _suspend(self, number: int) -> None:
        """Ctrl-C or SIGTERM: leave everything as it was at the last checkpoint."""
        self.session.suspend_all(partial(self._leave_suspended, 128 + number, "run the same command again to go on"))

    def _exit_for(self, deadline: float) -> None:
        """Leave instead of waiting for an event or sleeping until ``deadline`` (seconds since 1970), unless that is soon."""
        if math.isinf(deadline):
            advice = "it waits for an event: send it and run the same command again"
        elif deadline - time.time() >= LONG_WAIT:
            until = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(deadline))
            advice = f"it sleeps until {until}: run the same command again then"
        else:
            return
        self.session.suspend_all(partial(self._leave_suspended, SUSPENDED, advice))

    def _leave_suspended(self, status: int, advice: str) -> NoReturn:
        """Leave everything as it was at the last checkpoint, and the process."""
        for error in self.session.give_up(PATIENCE):
            say(f"error: {error}")
        for instance_id, state in self.session.running():
            where = f" at {_place(state)} (checkpoint {state.checkpoint})" if state is not None else ""
            say(f"suspended instance {instance_id}{where}; {advice}")
        _leave(status)


def _nothing_saved(instances: list[Summary], *, was_held: bool) -> str:
    if not instances:
        return "nothing of this run was saved: the script gave no async function of its own to asyncio.run"
    names = " and ".join(dict.fromkeys(each.function for each in instances))
    if was_held:
        return f"nothing of this run was saved: {names} was held until its end, as said above"
    return (
        f"nothing of this run was saved: {names} came to no checkpoint. What is one? `python -m durable_import explain FILE` "
        "lists them: awaits of code that is not rewritten, such as a library's"
    )


def _listed(steps: Sequence[object]) -> str:
    more = f", and {len(steps) - MOST_LISTED} more" if len(steps) > MOST_LISTED else ""
    return ", ".join(map(str, steps[:MOST_LISTED])) + more


def _place(state: Standing | Failure) -> str:
    return state.location.rpartition(" ")[0] or "the beginning"


def _exit_status(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code
    print(error.code, file=sys.stderr)
    return 1


def _leave(status: int) -> NoReturn:
    """Leave the process without running anybody's ``finally`` blocks or exit handlers: they run when the program gets there."""
    _flush()
    os._exit(status)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError, RuntimeError):  # closed, None, or interrupted while it was written to
            continue
