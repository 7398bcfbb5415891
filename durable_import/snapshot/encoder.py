"""Makes snapshots of one instance, one after another: whole, in pieces, or in segments, whichever costs least."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..aio.foreign_scopes import anyio_is_rewritten, without_scopes_of_steps
from ..aio.loop import InstanceLoop
from ..aio.task import DurableTask
from ..frames.capture import awaited_by, chain
from ..frames.step import Step
from ..holds.kinds import is_lock_of_library, kind_of, known_class
from ..holds.table import Kind
from ..hook.code_table import CodeInfo
from ..log import about, logger
from ..pythons.tasks import LoopBound
from ..upgrades.kept import KeptTexts
from .decoder import decoded, look_for_changes, reopened
from .incremental.format_policy import FormatPolicy
from .incremental.pieces import Pieces
from .incremental.segment_saving import Segments
from .module_data.contents import SetAside, find_imported, is_about_tasks, program_contents, reached_by, set_aside
from .module_data.module_names import Names
from .module_data.modules import ScriptData, is_refilled
from .payload import COMPLETE, IN_PIECES, IN_SEGMENTS, LARGE, Saved, Snapshot, is_in_segments, payload_of
from .pickler import Chunks, can_be_saved, dump_state, dumps
from .reducers.module_objects import place_of
from .references import References
from .tasks.loops import inbox_state, loop_state
from .tasks.stacks import Stacks
from .unread import drop_unread
from .unsavable import explained, refuse_in_use, refuse_parts_in_use
from .with_blocks.lost import find_lost


class NotInSegmentsError(Exception):
    """What to save depends on what the whole snapshot holds."""


@dataclass(slots=True)
class Encoder:
    """Makes and loads snapshots of one instance.

    ``script``: the script whose module-level data belong to the snapshot. ``base``: the context variables as they were
    when the instance began, which are not the program's. ``format_policy``: when snapshots are in segments; None: never.
    ``stacks``: what is known of the frames. ``kept_texts``: see ``reopened``.
    """

    instance_id: str | None = None
    script: ScriptData | None = None
    base: contextvars.Context = field(default_factory=contextvars.copy_context)
    format_policy: FormatPolicy | None = None
    stacks: Stacks = field(default_factory=Stacks)
    kept_texts: KeptTexts | None = None
    _segments: Segments | None = None
    _pieces: Pieces | None = None
    _opened_again: frozenset[type] = frozenset()  # classes of managers that could not be saved while they were being entered
    _is_kept: bool = False  # whether a store has the segments, or pieces, as they were once

    def begin(self) -> None:
        """Note what the modules of the program hold: nothing of it has run, and nothing is restored yet."""
        if self.script is not None:
            find_imported(self.script, is_new=True)

    def save(self, snapshot: Snapshot) -> Saved:
        """The state of an instance; in segments, if that is worth it.

        Raises UnsavableStateError, which names the variable.
        """
        names = self._names()
        refuse_in_use(names, self.instance_id)
        self.stacks.begin()
        try:
            if snapshot.loop is None or not snapshot.loop.in_flight or not anyio_is_rewritten():
                return self._save(snapshot, names)
            with without_scopes_of_steps(snapshot.loop.begun_in()):
                return self._save(snapshot, names)
        finally:
            self.stacks.end()

    def _save(self, snapshot: Snapshot, names: Names) -> Saved:
        loop, format_policy = snapshot.loop, self.format_policy
        if loop is None or format_policy is None:
            return self._save_whole(snapshot, names)
        if not self._has_many_tasks(loop, format_policy):
            format_policy.choose(in_segments=False)
            return self._save_whole(snapshot, names)
        if format_policy.wants_segments():
            try:
                return self._save_segments(snapshot, names, loop, format_policy)
            except Exception as error:  # the other way says what it is, or gets around it
                logger.debug("instance %s is not saved in segments: %r", self.instance_id, error, extra=about(self.instance_id))
                format_policy.give_up()
        changed = (len(loop.touched) + len(loop.changed_callbacks)) / max(len(loop.tasks), 1)
        saved = self._save_whole(snapshot, names)
        format_policy.was_whole(saved.size, changed)
        return saved

    def _save_whole(self, snapshot: Snapshot, names: Names) -> Saved:
        chunks, codes = self._encode(snapshot, names)
        location = ""
        if snapshot.loop is not None:
            snapshot.loop.is_saved()
            snapshot.loop.on_turn = None
            location = self.stacks.location_of(snapshot.loop.root)
        size = sum(map(len, chunks))
        if self.format_policy is None or size < LARGE:
            self._begin_form(None, None)
            return Saved(payload_of(COMPLETE, *chunks), None, True, tuple(codes.values()), location, size)
        pieces = self._pieces or self._begin_form(None, Pieces())
        payload = payload_of(IN_PIECES, pieces.split(chunks))
        return Saved(payload, dict(pieces.changed), not self._is_kept, tuple(codes.values()), location, size)

    def forget_form(self, loop: InstanceLoop) -> None:
        """Of what has been saved before nothing is used any more, so that nobody has to know what has changed since."""
        self._begin_form(None, None)
        loop.is_saved()
        loop.on_turn = None

    def _begin_form(self, segments: Segments | None, pieces: Pieces | None) -> Any:
        """From now on snapshots are of another form; gives the one of the two that is not None."""
        self._segments, self._pieces, self._is_kept = segments, pieces, False
        return segments or pieces

    def _has_many_tasks(self, loop: InstanceLoop, format_policy: FormatPolicy) -> bool:
        if len(loop.tasks) >= format_policy.least:
            return True
        return self._segments is not None and self._segments.count_tasks() >= format_policy.least // 2

    def is_shared_lock(self, manager: Any) -> bool:
        """Whether it is a lock of asyncio, or of a rewritten library, that a module makes again, for all instances.

        A semaphore of asyncio is none: see ``slots_of``.
        """
        if isinstance(manager, LoopBound):
            return self.is_shared(manager) and not isinstance(manager, asyncio.Semaphore)
        return is_lock_of_library(manager) and self._is_made_again(manager, Names.of(self.script))

    def is_shared(self, manager: Any) -> bool:
        """Whether it is a primitive of asyncio that a module makes again, for all instances."""
        return isinstance(manager, LoopBound) and self._is_made_again(manager, Names.of(self.script))

    def has_shared(self, primitive: Any) -> bool:
        """The same of one that was at module level when a checkpoint was made last."""
        return self._is_made_again(primitive, Names.known(self.script))

    def _is_made_again(self, manager: Any, names: Names) -> bool:
        way = names.way_to(manager)
        return way is not None and not is_refilled(self.script, way[0], way[1], manager)

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

    def _save_segments(self, snapshot: Snapshot, names: Names, loop: InstanceLoop, format_policy: FormatPolicy) -> Saved:
        is_first = self._segments is None
        segments = self._segments or self._begin_form(Segments(), None)
        references = self._references(snapshot, names)
        contents = program_contents(self.script, loop, references.names)
        reached = reached_by(self.script)
        if reached is not None and reached.sought:
            raise NotInSegmentsError

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
        if references.has_found:
            self._segments = None
            raise NotInSegmentsError
        format_policy.was_in_segments(segments.pickled, segments.owned.size, is_first=is_first)
        payload = payload_of(IN_SEGMENTS, kernel)
        location = self.stacks.location_of(loop.root)
        return Saved(payload, dict(segments.owned.changed), not self._is_kept, tuple(codes.values()), location)

    def _names(self) -> Names:
        """What snapshots refer to by name, as it is now."""
        if self.script is not None:
            find_imported(self.script)
        return Names.of(self.script)

    def _references(self, snapshot: Snapshot, names: Names) -> References:
        has_loop = snapshot.loop is not None
        made = References(names, self.script, self.base, self.stacks, snapshot.stacks, _in_flight(snapshot), has_loop)
        if snapshot.loop is not None:
            made.notes, made.note_generator = snapshot.loop.notes, snapshot.loop.note_generator
        return made

    def encode(self, snapshot: Snapshot) -> bytes:
        """The payload, complete by itself.

        Raises UnsavableStateError, which names the variable.
        """
        self.stacks.begin()
        try:
            return payload_of(COMPLETE, *self._encode(snapshot, self._names())[0])
        finally:
            self.stacks.end()

    def _encode(self, snapshot: Snapshot, names: Names) -> tuple[Chunks, dict[int, CodeInfo]]:
        references = self._references(snapshot, names)
        for path, stack in self._with_managers(snapshot):
            self._find_lost(path, stack, references)
        try:
            return self._dump(snapshot, references)
        except Exception as error:
            problem = error
        is_left_out = self._leave_out(snapshot.stacks(), references)
        unread = drop_unread(snapshot.stacks(), references, can_be_saved)
        if unread or is_left_out:
            try:
                dumped = self._dump(snapshot, references)
            except Exception as error:
                problem = error
            else:
                self.stacks.leaves_unread(unread)
                return dumped
        aside = self._set_aside(snapshot, references) if self.script is not None else None
        if aside is None:
            raise explained(snapshot, references, problem, self.instance_id) from problem
        try:
            encoded = self._encode(snapshot, self._names())
        except BaseException:
            aside.undo()  # they only lead to what cannot be saved for now
            raise
        aside.tell()
        return encoded

    def _with_managers(self, snapshot: Snapshot) -> list[tuple[str, list[Any]]]:
        """The stacks in which there may be managers of ``with`` blocks."""
        if snapshot.loop is None:
            return snapshot.stacks()
        return [(task.path, stack.frames) for task in snapshot.loop.tasks if not (stack := self.stacks.of(task)).is_simple]

    def _find_lost(self, path: str, stack: list[Any], references: References) -> None:
        """Note the managers of ``with`` blocks that are known to be made again."""
        is_lost = partial(self._is_known_to_be_lost, references)
        references.left_out += find_lost(path, stack, is_lost, references.lost, self.stacks.met, have_names=True).kept

    def _leave_out(self, stacks: list[tuple[str, list[Any]]], references: References) -> bool:
        """Leave out managers of ``with`` blocks that cannot be saved, and are to be made again; if any."""
        is_left_out = False
        for path, stack in stacks:
            unsavable = find_lost(path, stack, partial(self._is_opened_again, references), references.lost, {})
            references.left_out += unsavable.kept
            is_left_out = is_left_out or bool(unsavable.kept)
        return is_left_out

    def _is_opened_again(self, references: References, manager: Any, is_entering: bool) -> bool:
        """Whether a manager that cannot be saved is made again by what its ``with`` says: mostly one that is not open yet."""
        if not (is_entering or kind_of(manager) is Kind.ENTERED_AGAIN) or can_be_saved(references, manager):
            return False
        if is_entering:
            self._opened_again |= {type(manager)}
        return True

    def _is_known_to_be_lost(self, references: References, manager: Any, is_entering: bool) -> bool:
        """The same of one that is being entered, of a class that is known for that, and of one that a module makes again."""
        return (is_entering and type(manager) in self._opened_again) or self._is_made_by_module(references, manager)

    def _is_made_by_module(self, references: References, manager: Any) -> bool:
        """Whether a manager is saved by reference, and its state not with the script's data."""
        way = references.names.way_to(manager)
        if way is None:
            return self._is_of_application(references, manager)
        return not is_refilled(self.script, way[0], way[1], manager)

    def _is_of_application(self, references: References, manager: Any) -> bool:
        """Whether it is a client, say, that a module which is not marked has made."""
        if known_class(type(manager)) is None or kind_of(manager) is not Kind.REOPENABLE:
            return False
        notes = references.notes
        is_noted = notes is not None and (notes.find(manager) or notes.find_part(manager))
        return not is_noted and place_of(manager) is not None

    def _dump(self, snapshot: Snapshot, references: References) -> tuple[Chunks, dict[int, CodeInfo]]:
        stack = chain(snapshot.root)[::-1] if snapshot.root is not None else []
        tasks = list(snapshot.loop.tasks) if snapshot.loop is not None else []
        loop, inbox = None, None
        if snapshot.loop is not None:
            callbacks, timers = list(snapshot.loop.callbacks.values()), snapshot.loop.timers
            loop = loop_state(snapshot.loop, callbacks, timers, partial(can_be_saved, references))
            inbox = inbox_state(snapshot.loop)
        references.reached = reached = reached_by(self.script)
        try:
            while True:
                references.has_found = False
                contents = program_contents(self.script, snapshot.loop, references.names)
                dumped = dump_state((stack, snapshot.facts, contents, loop, inbox, tasks), references)
                if not references.has_found:
                    break
        finally:
            references.reached = None
        if reached is not None:
            reached.end()
        return dumped

    def decode(self, payload: bytes, segments: dict[str, bytes] | None = None) -> Snapshot:
        """The snapshot of an authenticated payload, with its segments if it is not complete by itself."""
        snapshot = decoded(payload, segments or {}, self.script, self.instance_id)
        self._has_read(payload)
        return snapshot

    async def reopen(self, payload: bytes, segments: dict[str, bytes] | None = None) -> Snapshot:
        """The same, with what the program had open opened again."""
        read = self.begin_reopening(payload, segments)
        return read if isinstance(read, Snapshot) else await read

    def begin_reopening(
        self, payload: bytes, segments: dict[str, bytes] | None = None
    ) -> Snapshot | Coroutine[Any, Any, Snapshot]:
        """See ``reopen``; the snapshot at once if the program had nothing open."""
        self._has_read(payload)
        return reopened(payload, segments or {}, self.script, self.instance_id, self.kept_texts)

    def look_for_changes(self, payload: bytes, segments: dict[str, bytes]) -> None:
        """Find in which code the frames of a payload go on; nothing of it is kept, or opened."""
        assert self.kept_texts is not None
        look_for_changes(payload, segments, self.kept_texts)

    def _has_read(self, payload: bytes) -> None:
        self._begin_form(None, None)
        if is_in_segments(payload) and self.format_policy is not None:
            self.format_policy.choose(in_segments=True)

    def _set_aside(self, snapshot: Snapshot, references: References) -> SetAside | None:
        """Leave module-level data that cannot be saved to the modules' own code; None if there are none."""
        assert self.script is not None
        failing = {}
        for name, content in program_contents(self.script, snapshot.loop, references.names).items():
            if is_about_tasks(name):
                continue  # of a scope, say, that is being cancelled: no module makes that again
            try:
                dumps(content, references)
            except Exception as error:  # whatever it is, the module makes it again
                failing[name] = content, error
        if snapshot.loop is not None:  # else it has ended, with what is in use then
            values = {name: content[-1] for name, (content, _) in failing.items()}
            refuse_parts_in_use(values, partial(dumps, references=references), self.instance_id)
        return set_aside(self.script, failing, partial(can_be_saved, references)) if failing else None


def _in_flight(snapshot: Snapshot) -> set[int]:
    """The ids of the awaitables that will be awaited again."""
    if snapshot.loop is not None:
        return {id(step.awaitable) for step in snapshot.loop.in_flight.values()}
    awaited = awaited_by(chain(snapshot.root)[-1]) if snapshot.root is not None else None
    return {id(awaited.awaitable if type(awaited) is Step else awaited)}
