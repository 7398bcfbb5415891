"""A snapshot that is read to go on, with the texts of before that its frames need."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ...errors import CodeChangedError, SnapshotError
from ...hook.program_version import version_today
from ...snapshot.encoder import Encoder
from ...snapshot.payload import CODE, Snapshot
from ...upgrades.kept import ChangesAsked, KeptTexts, MissingVersionError, VersionAsked
from ..sources import Sources


async def reopened(
    encoder: Encoder,
    payload: bytes,
    segments: dict[str, bytes],
    sources: Sources,
    opened: Callable[[Coroutine[Any, Any, Snapshot]], Awaitable[Snapshot]],
) -> Snapshot:
    """The snapshot opened again; frames whose code has changed go on in that of then, or in that of today.

    Which texts of before are needed is known only as it is read: it is read again with each. ``opened`` waits for what was open.
    """
    kept, is_asked = encoder.kept_texts, False
    assert kept is not None
    while True:
        kept.moved.clear()
        kept.pinned.clear()
        try:
            if is_asked and not kept.is_settled:
                encoder.look_for_changes(payload, segments)
            read = encoder.begin_reopening(payload, segments)
            return read if isinstance(read, Snapshot) else await opened(read)
        except ChangesAsked:
            is_asked, kept.is_settled = True, _version_in(payload, segments) == version_today()
        except VersionAsked as asked:
            kept.version = await _known_version(payload, segments, sources, asked.error)
            kept.versions = await _gone_on_in(payload, segments, sources, kept)
        except MissingVersionError as error:
            await sources.add_version(error.version)
        except CodeChangedError as error:
            if not error.digest or error.digest in kept.by_digest:
                raise
            text = await sources.load(error.digest, _versions_in(payload, segments))
            if not text:
                raise
            kept.by_digest[error.digest] = text


async def _known_version(payload: bytes, segments: dict[str, bytes], sources: Sources, error: SnapshotError) -> str:
    """The version of the program that has saved a snapshot, its texts now known. Raises the error if they are not kept."""
    version = _version_in(payload, segments)
    if not version:
        raise error
    try:
        await sources.add_version(version)
    except MissingVersionError:
        raise error from None
    return version


async def _gone_on_in(payload: bytes, segments: dict[str, bytes], sources: Sources, kept: KeptTexts) -> tuple[str, ...]:
    """The versions that parts of a snapshot are pinned to, or will be; their texts are known now."""
    first, *pinned = _versions_in(payload, segments)
    for version in pinned:
        await sources.add_version(version)
    return (*([first] if kept.policy == "pin" else []), *pinned)


def _versions_in(payload: bytes, segments: dict[str, bytes]) -> list[str]:
    """That, and those that parts of it are pinned to."""
    from ...inspect.state import read_state  # rarely needed
    from ...inspect.verdicts import versions_in

    state = read_state(payload, segments)
    return [str(state.facts.get(CODE, "")), *sorted(versions_in(state))]


def _version_in(payload: bytes, segments: dict[str, bytes]) -> str:
    """The version of the program that has saved a snapshot; empty if it does not say that."""
    from ...inspect.state import read_state

    return str(read_state(payload, segments).facts.get(CODE, ""))
