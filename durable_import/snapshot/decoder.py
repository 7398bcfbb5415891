"""Snapshots that were authenticated, made objects again."""

from __future__ import annotations

from collections.abc import Coroutine
from types import GeneratorType
from typing import Any

from ..aio.generators import Finalizer, restoring_generators
from ..aio.standard import make_asyncio_durable
from ..frames.capture import layout_of, parts_of
from ..holds.kinds import forget_kinds
from ..holds.noting import begin as begin_noting
from ..holds.opening import Opener, leave_opened
from ..hook.companions import rewrite_companions
from ..upgrades.kept import ChangesAsked, KeptTexts
from .incremental.pieces import join_pieces
from .incremental.segments import reading_of_segments
from .load_context import LoadContext, Loading, reading
from .module_data.contents import restore_program
from .module_data.modules import ScriptData
from .payload import CODE, IN_PIECES, MOMENT, Snapshot, check_format, is_in_segments
from .tasks.loops import fill_loop
from .tasks.tasks import new_task
from .unpickler import reading_of


def decoded(payload: bytes, segments: dict[str, bytes], script: ScriptData | None, instance_id: str | None) -> Snapshot:
    """The snapshot of an authenticated payload, to be looked at: what the program had open is not opened again.

    Raises SnapshotFormatError for a format that is not read here.
    """
    loading, finalizer = _loading(payload, segments, script, is_looked_at=True), Finalizer()
    with restoring_generators(finalizer):
        while loading.next_opening() is not None or loading.begins_again():
            pass
        return _completed(loading, finalizer, payload, script, instance_id)


def reopened(
    payload: bytes,
    segments: dict[str, bytes],
    script: ScriptData | None,
    instance_id: str | None,
    kept_texts: KeptTexts | None = None,
) -> Snapshot | Coroutine[Any, Any, Snapshot]:
    """The same, to go on. If the program had something open, it is what is to be awaited: it opens that again.

    ``kept_texts``: of code that has changed since, if its frames may go on. Raises ChangesAsked if something is to be opened.
    """
    begin_noting()
    loading, finalizer = _loading(payload, segments, script, kept_texts=kept_texts), Finalizer()
    try:
        with restoring_generators(finalizer):
            while loading.next_opening() is None:
                if not loading.begins_again():
                    return _completed(loading, finalizer, payload, script, instance_id)
    except BaseException:
        loading.give_up()
        raise
    loading.give_up()  # who awaits the rest may be cancelled before that begins: it reads from the beginning
    if kept_texts is not None and not kept_texts.is_settled:
        raise ChangesAsked
    return _with_openings(_loading(payload, segments, script, kept_texts=kept_texts), payload, script, instance_id)


async def _with_openings(loading: Loading[Any], payload: bytes, script: ScriptData | None, instance_id: str | None) -> Snapshot:
    """Read it all; what was opened is left if something fails."""
    finalizer = Finalizer()
    try:
        while True:
            await _open_all(loading, finalizer, instance_id)
            opened = loading.context.loop
            if not loading.begins_again():
                break
            await leave_opened(opened)
        with restoring_generators(finalizer):
            return _completed(loading, finalizer, payload, script, instance_id)
    except BaseException:
        await leave_opened(loading.context.loop)
        raise


async def _open_all(loading: Loading[Any], finalizer: Finalizer, instance_id: str | None) -> None:
    """Read to the end, and open what is to be opened on the way."""
    context, opener = loading.context, None
    try:
        while True:
            with restoring_generators(finalizer):
                opening = loading.next_opening()
            if opening is None:
                return
            if opener is None:
                context.loop.instance_id = instance_id
                opener = Opener(context.loop, context.opened, lambda path: _task(context, path))
            await opener.open(opening)
    except BaseException:
        loading.give_up()
        raise


def _task(context: LoadContext, path: str) -> Any:
    with reading(context):
        return new_task(path)


def _loading(
    payload: bytes,
    segments: dict[str, bytes],
    script: ScriptData | None,
    *,
    is_looked_at: bool = False,
    kept_texts: KeptTexts | None = None,
) -> Loading[Any]:
    check_format(payload)
    make_asyncio_durable()
    if rewrite_companions():
        forget_kinds()
    if is_in_segments(payload):
        read: Any = reading_of_segments(payload[3:], segments)
    else:
        read = reading_of(join_pieces(payload[3:], segments) if payload[2:3] == IN_PIECES else payload[3:])
    return Loading(read, is_looked_at=is_looked_at, kept_texts=kept_texts, owns_process=script is not None)


def look_for_changes(payload: bytes, segments: dict[str, bytes], kept_texts: KeptTexts) -> None:
    """Read an authenticated payload only to find in which code its frames go on. Raises what reading it raises."""
    loading, finalizer = _loading(payload, segments, None, is_looked_at=True, kept_texts=kept_texts), Finalizer()
    with restoring_generators(finalizer):
        try:
            while loading.next_opening() is not None or loading.begins_again():
                pass
        finally:
            loading.give_up()
    kept_texts.is_settled = True


def _completed(
    loading: Loading[Any], finalizer: Finalizer, payload: bytes, script: ScriptData | None, instance_id: str | None
) -> Snapshot:
    stack: list[Any] = []
    if is_in_segments(payload):
        ((facts, contents), held, inbox), found = loading.value
    else:
        (stack, facts, contents, held, inbox, _), found = loading.value
    facts.pop(CODE, None)
    restore_program(script, contents, {version for _, version in loading.context.pinned})
    if held is None:
        return Snapshot(stack[-1] if stack else None, facts)
    fill_loop(found, held, inbox, facts.pop(MOMENT, None))
    found.loop.instance_id = instance_id
    finalizer.begun.update(frame for frame in loading.context.begun.values() if type(frame) is GeneratorType)
    finalizer.has(found.loop)
    for go_on in loading.context.opened.at_the_end:
        go_on()
    return Snapshot(None, facts, found.loop, any(map(_has_blocks, loading.context.frames)))


def _has_blocks(frame: Any) -> bool:
    layout = layout_of(parts_of(frame).code)
    return layout is not None and layout.has_blocks
