"""A snapshot: the whole state of an instance as bytes, and back.

Layout of the payload: the format version (two bytes), its kind (one byte), then what ``pickler.dumps`` made of the state, or
the kernel of a snapshot in segments. The frames of each stack come innermost first, so that each is saved before the frame
that awaits it, and depth of calls is not depth of pickling.
"""

from __future__ import annotations

import asyncio
import contextvars
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..aio.generators import restoring_generators
from ..aio.loop import InstanceLoop
from ..aio.standard import make_asyncio_durable
from ..aio.task import DurableTask
from ..errors import SnapshotFormatError, UnsavableStateError
from ..frames.capture import FrameState, awaited_by, capture, chain, contents_of, frame_behind, line_of, parts_of
from ..frames.step import DONE, FAILED, Step
from ..hook.code_table import CodeInfo, info_of
from ..log import about, logger
from ..rewrite.analysis.names import AWAITED, is_hidden
from .diagnose import find_culprit
from .frame_places import readable
from .incremental.format_policy import FormatPolicy
from .incremental.pieces import Pieces, join_pieces
from .incremental.segment_saving import Segments
from .incremental.segments import load_segments
from .module_data.contents import find_imported, program_contents, restore_program, set_aside
from .module_data.module_names import Names
from .module_data.modules import ScriptData, is_refilled
from .pickler import Chunks, dump_chunks, dumps
from .references import References
from .tasks.loops import fill_loop, inbox_state, loop_state
from .tasks.stacks import Stacks
from .unpickler import load_with_loop
from .with_blocks.managers import find_lost, find_released

VERSION = 5
READABLE = (4, 5)  # format 4 has the names of ``former_names``, and numbers for places
_LAST_OF_3 = "the last version that opens format 3 is that of 26 November 2026, commit 3a361ef"
COMPLETE, IN_SEGMENTS, IN_PIECES = b"c", b"s", b"p"  # what follows the version
LARGE = 256 * 1024  # bytes: such snapshots are in pieces
AWAITED_RESULT, AWAITED_EXCEPTION = "(result of the await)", "(exception of the await)"


@dataclass
class Snapshot:
    """What a snapshot holds: the loop of an instance, or a single coroutine (``root``), or neither once it has ended."""

    root: Any = None
    facts: dict[str, Any] = field(default_factory=dict)
    loop: InstanceLoop | None = None

    def stacks(self) -> list[tuple[str, list[Any]]]:
        """The frames of each task, outermost first, with its path."""
        if self.loop is not None:
            return [(task.path, task.stack()) for task in self.loop.tasks]
        return [("", chain(self.root))] if self.root is not None else []


class Saved(NamedTuple):
    """A payload, and what has changed of its segments since the last one was kept by a store.

    ``segments`` is None for a payload that is complete by itself. ``is_whole``: there are no other segments than these.
    ``codes``: the functions of the coroutines and generators that were pickled. ``location``: where the program is.
    ``size``: bytes that were pickled for a snapshot that is not in segments, those of pieces that are kept already included.
    """

    payload: bytes
    segments: dict[str, bytes | None] | None = None
    is_whole: bool = True
    codes: tuple[CodeInfo, ...] = ()
    location: str = ""
    size: int = 0


@dataclass(slots=True)
class Encoder:
    """Makes and loads snapshots of one instance.

    ``script``: the script whose module-level data belong to the snapshot. ``base``: the context variables as they were
    when the instance began, which are not the program's. ``format_policy``: when snapshots are in segments; None: never.
    ``stacks``: what is known of the frames.
    """

    instance_id: str | None = None
    script: ScriptData | None = None
    base: contextvars.Context = field(default_factory=contextvars.copy_context)
    format_policy: FormatPolicy | None = None
    stacks: Stacks = field(default_factory=Stacks)
    _segments: Segments | None = None
    _pieces: Pieces | None = None
    _is_kept: bool = False  # whether a store has the segments, or pieces, as they were once

    def save(self, snapshot: Snapshot) -> Saved:
        """The state of an instance; in segments, if that is worth it.

        Raises UnsavableStateError, which names the variable.
        """
        self.stacks.begin()
        try:
            return self._save(snapshot)
        finally:
            self.stacks.end()

    def _save(self, snapshot: Snapshot) -> Saved:
        loop, format_policy = snapshot.loop, self.format_policy
        if loop is None or format_policy is None:
            return self._save_whole(snapshot)
        if not self._has_many_tasks(loop, format_policy):
            format_policy.choose(in_segments=False)
            return self._save_whole(snapshot)
        if format_policy.wants_segments():
            try:
                return self._save_segments(snapshot, loop, format_policy)
            except Exception as error:  # the other way says what it is, or gets around it
                logger.debug("instance %s is not saved in segments: %r", self.instance_id, error, extra=about(self.instance_id))
                format_policy.give_up()
        changed = (len(loop.touched) + len(loop.changed_callbacks)) / max(len(loop.tasks), 1)
        saved = self._save_whole(snapshot)
        format_policy.was_whole(saved.size, changed)
        return saved

    def _save_whole(self, snapshot: Snapshot) -> Saved:
        chunks, codes = self._encode(snapshot)
        location = ""
        if snapshot.loop is not None:
            snapshot.loop.is_saved()
            snapshot.loop.on_turn = None
            location = self.stacks.location_of(snapshot.loop.root)
        size = sum(map(len, chunks))
        if self.format_policy is None or size < LARGE:
            self._begin_form(None, None)
            return Saved(_payload(COMPLETE, *chunks), None, True, tuple(codes.values()), location, size)
        pieces = self._pieces or self._begin_form(None, Pieces())
        payload = _payload(IN_PIECES, pieces.split(chunks))
        return Saved(payload, dict(pieces.changed), not self._is_kept, tuple(codes.values()), location, size)

    def _begin_form(self, segments: Segments | None, pieces: Pieces | None) -> Any:
        """From now on snapshots are of another form; gives the one of the two that is not None."""
        self._segments, self._pieces, self._is_kept = segments, pieces, False
        return segments or pieces

    def _has_many_tasks(self, loop: InstanceLoop, format_policy: FormatPolicy) -> bool:
        if len(loop.tasks) >= format_policy.least:
            return True
        return self._segments is not None and self._segments.count_tasks() >= format_policy.least // 2

    def is_kept(self, saved: Saved) -> None:
        """A store has kept this."""
        if saved.segments is None:
            return
        form = self._segments.owned if self._segments is not None else self._pieces
        if form is not None:
            self._is_kept = True
            for key, data in saved.segments.items():
                if form.changed.get(key, self) is data:
                    del form.changed[key]

    def will_call(self, handle: asyncio.Handle) -> None:
        """A callback of the instance is about to run."""
        if self._segments is not None:
            self._segments.thaw(handle)

    def _save_segments(self, snapshot: Snapshot, loop: InstanceLoop, format_policy: FormatPolicy) -> Saved:
        is_first = self._segments is None
        segments = self._segments or self._begin_form(Segments(), None)
        references = self._references(snapshot)
        contents = program_contents(self.script, loop, references.names)

        def prepare(task: DurableTask) -> None:
            stack = self.stacks.of(task)
            if not stack.is_simple:
                self._find_lost(task.path, stack.frames, references)

        codes: dict[int, CodeInfo] = {}
        try:
            most = format_policy.allowance(is_first=is_first)
            kernel = segments.encode(loop, (snapshot.facts, contents), references, prepare, codes, most)
        except BaseException:
            self._segments = None
            raise
        format_policy.was_in_segments(segments.pickled, segments.owned.size, is_first=is_first)
        payload = _payload(IN_SEGMENTS, kernel)
        location = self.stacks.location_of(loop.root)
        return Saved(payload, dict(segments.owned.changed), not self._is_kept, tuple(codes.values()), location)

    def _references(self, snapshot: Snapshot) -> References:
        if self.script is not None:
            find_imported(self.script)
        names, has_loop = Names.of(self.script), snapshot.loop is not None
        return References(names, self.script, self.base, self.stacks, snapshot.stacks, _in_flight(snapshot), has_loop)

    def encode(self, snapshot: Snapshot) -> bytes:
        """The payload, complete by itself.

        Raises UnsavableStateError, which names the variable.
        """
        self.stacks.begin()
        try:
            return _payload(COMPLETE, *self._encode(snapshot)[0])
        finally:
            self.stacks.end()

    def _encode(self, snapshot: Snapshot) -> tuple[Chunks, dict[int, CodeInfo]]:
        references = self._references(snapshot)
        for path, stack in self._with_managers(snapshot):
            self._find_lost(path, stack, references)
        try:
            return self._dump(snapshot, references)
        except Exception as error:
            if self.script is not None and self._set_aside(snapshot, references):
                return self._encode(snapshot)
            if not self._leave_out(snapshot.stacks(), references):
                raise self._explain(snapshot, references, error) from error
        try:
            return self._dump(snapshot, references)
        except Exception as error:
            raise self._explain(snapshot, references, error) from error

    def _with_managers(self, snapshot: Snapshot) -> list[tuple[str, list[Any]]]:
        """The stacks in which there may be managers of ``with`` blocks."""
        if snapshot.loop is None:
            return snapshot.stacks()
        return [(task.path, stack.frames) for task in snapshot.loop.tasks if not (stack := self.stacks.of(task)).is_simple]

    def _find_lost(self, path: str, stack: list[Any], references: References) -> None:
        """Note the managers of ``with`` blocks that belong to modules: these make them again."""
        find_lost(path, stack, lambda manager: self._is_made_by_module(manager, references), references.lost, self.stacks.met)

    def _leave_out(self, stacks: list[tuple[str, list[Any]]], references: References) -> bool:
        """Leave out managers of ``with`` blocks that cannot be saved, and what ended blocks have left behind; if any."""
        is_left_out = False
        for path, stack in stacks:
            unsavable = find_lost(path, stack, lambda manager: not self._can_be_saved(manager, references), references.lost, {})
            released = find_released(path, stack, lambda value: not self._can_be_saved(value, references))
            references.lost = released.by_id | references.lost
            references.left_out += [*unsavable.kept, *released.kept]
            is_left_out = is_left_out or bool(unsavable.kept or released.by_id)
        return is_left_out

    def _is_made_by_module(self, manager: Any, references: References) -> bool:
        """Whether a manager is saved by reference, and its state not with the script's data."""
        if id(manager) not in references.by_id:
            return False
        module, name = references.by_id[id(manager)]
        return not is_refilled(self.script, module, name, manager)

    def _can_be_saved(self, value: Any, references: References) -> bool:
        try:
            dumps(value, references)
        except Exception:  # whatever the reason: it is made again
            return False
        return True

    def _dump(self, snapshot: Snapshot, references: References) -> tuple[Chunks, dict[int, CodeInfo]]:
        contents = program_contents(self.script, snapshot.loop, references.names)
        stack = chain(snapshot.root)[::-1] if snapshot.root is not None else []
        tasks = list(snapshot.loop.tasks) if snapshot.loop is not None else []
        loop, inbox = None, None
        if snapshot.loop is not None:
            loop = loop_state(snapshot.loop, list(snapshot.loop.callbacks.values()), snapshot.loop.timers)
            inbox = inbox_state(snapshot.loop)
        state = (stack, snapshot.facts, contents, loop, inbox, tasks)
        return dump_chunks(state, references)

    def decode(self, payload: bytes, segments: dict[str, bytes] | None = None) -> Snapshot:
        """The snapshot of an authenticated payload, with its segments if it is not complete by itself."""
        version = int.from_bytes(payload[:2], "big")
        if version not in READABLE:
            raise SnapshotFormatError(_refusal(version))
        make_asyncio_durable()
        self._begin_form(None, None)
        with restoring_generators() as finalizer:
            if payload[2:3] == IN_SEGMENTS:
                if self.format_policy is not None:
                    self.format_policy.choose(in_segments=True)
                ((facts, contents), held, inbox), found = load_segments(payload[3:], segments or {})
                stack: list[Any] = []
            else:
                data = join_pieces(payload[3:], segments or {}) if payload[2:3] == IN_PIECES else payload[3:]
                (stack, facts, contents, held, inbox, _), found = load_with_loop(data)
        if self.script is not None:
            find_imported(self.script)
        restore_program(self.script, contents)
        if held is None:
            return Snapshot(stack[-1] if stack else None, facts)
        fill_loop(found, held, inbox)
        found.loop.instance_id = self.instance_id
        finalizer.loop = found.loop
        return Snapshot(None, facts, found.loop)

    def _set_aside(self, snapshot: Snapshot, references: References) -> bool:
        """Leave module-level data that cannot be saved to the modules' own code; whether there was any."""
        assert self.script is not None
        failing = set()
        for name, content in program_contents(self.script, snapshot.loop, references.names).items():
            try:
                dumps(content, references)
            except Exception:  # whatever it is, the module makes it again
                failing.add(name)
        set_aside(self.script, failing)
        return bool(failing)

    def _explain(self, snapshot: Snapshot, references: References, error: Exception) -> Exception:
        """The error that names the variable that cannot be saved."""

        def attempt(value: Any) -> None:
            dumps(value, references)

        frames = [frame for _, stack in snapshot.stacks() for frame in stack]
        frames.reverse()
        frames.sort(key=_is_of_library)  # their variables lead to those of the program, on long ways
        for frame in frames:
            state = capture(frame)
            variables = {n: v for n, v in state.variables.items() if n != AWAITED} | contents_of(state.cells)
            named = {n: v for n, v in variables.items() if not is_hidden(n)}
            outcome = _outcome(state.variables.get(AWAITED))
            culprit = find_culprit(named, attempt) or find_culprit(outcome, attempt) or find_culprit(variables, attempt)
            if culprit is None and frame_behind(state.variables.get(AWAITED)) is None:
                culprit = find_culprit({AWAITED: state.variables.get(AWAITED)}, attempt)
            if culprit is not None:
                code = parts_of(frame).code
                return UnsavableStateError(
                    path=_readable(state, culprit.path),
                    type_name=culprit.type_name, reason=culprit.reason, way_out=culprit.way_out,
                    instance_id=self.instance_id, filename=code.co_filename, lineno=line_of(frame),
                    function=code.co_qualname,
                )  # fmt: skip
        culprit = find_culprit(_beside_frames(snapshot), attempt)
        if culprit is not None:
            return UnsavableStateError(
                path=culprit.path, type_name=culprit.type_name, reason=culprit.reason, way_out=culprit.way_out,
                instance_id=self.instance_id,
            )  # fmt: skip
        return error




def _payload(kind: bytes, *parts: bytes) -> bytes:
    return b"".join((VERSION.to_bytes(2, "big"), kind, *parts))


def _is_of_library(frame: Any) -> bool:
    info = info_of(parts_of(frame).code)
    return info is not None and info.module.is_library


def _in_flight(snapshot: Snapshot) -> set[int]:
    """The ids of the awaitables that will be awaited again."""
    if snapshot.loop is not None:
        return {id(step.awaitable) for step in snapshot.loop.in_flight.values()}
    awaited = awaited_by(chain(snapshot.root)[-1]) if snapshot.root is not None else None
    return {id(awaited.awaitable if type(awaited) is Step else awaited)}


def _beside_frames(snapshot: Snapshot) -> dict[str, Any]:
    """What a snapshot holds beside the variables of frames, under the names that errors call it."""
    found: dict[str, Any] = {f"({name})": fact for name, fact in snapshot.facts.items()}
    if snapshot.loop is not None:
        for task in snapshot.loop.tasks:
            found[f"(context variables of {task.get_name()})"] = task.get_context()
            if not task.stack():
                found[f"(task {task.get_name()})"] = task.coroutine
        found["(callbacks that are ready)"] = [h for h in snapshot.loop.ready if not snapshot.loop.task_of(h)]
        found["(timers)"] = [h for h in snapshot.loop.timers if not h.cancelled()]
    return found


def _outcome(awaited: Any) -> dict[str, Any]:
    """What a step that has ended gave, under the name that errors call it."""
    if type(awaited) is not Step or awaited.state not in (DONE, FAILED):
        return {}
    return {AWAITED_RESULT if awaited.state == DONE else AWAITED_EXCEPTION: awaited.value}


def _readable(state: FrameState, path: str) -> str:
    """The path of a culprit, with words for a hidden variable."""
    if not is_hidden(path) or path.startswith("<inside"):
        return path
    name = path.replace("[", ".").split(".")[0]
    return readable(state, name) + path[len(name) :]



def _refusal(version: int) -> str:
    has, reads = f"the snapshot has payload format {version}", f"this version of durable_import reads {READABLE[0]} to {VERSION}"
    if version > VERSION:
        return f"{has}, {reads}: a later version has saved it. Install that one and resume again; the saved state is kept."
    return f"{has}, {reads}; {_LAST_OF_3}. Let the instance finish with that, or start afresh; the saved state is kept."
