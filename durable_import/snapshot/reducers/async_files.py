"""Reducers for the files of ``aiofiles``: each is a file opened with ``open()``, see ``files``, that a pool of threads reads and
writes. Each call of it is a step."""

from __future__ import annotations

from collections.abc import Callable
from inspect import CORO_CLOSED, getcoroutinestate
from pickle import PicklingError
from typing import Any

Reduced = tuple[Any, ...]


def _reduce_file(file: Any) -> Reduced:
    return restore_file, (type(file),), (file._file, file._executor), None, None, fill_file


def restore_file(cls: type) -> Any:
    """One without its file."""
    return object.__new__(cls)


def fill_file(file: Any, state: tuple[Any, Any]) -> None:
    """With its file and pool; its loop is that which runs."""
    file._file, file._executor = state
    file._ref_loop = None


def _reduce_block(block: Any) -> Reduced:
    """What ``aiofiles.open`` gives, once it has been entered or awaited."""
    if block._coro is not None and getcoroutinestate(block._coro) != CORO_CLOSED:
        raise PicklingError("its file has not been opened yet: `await` it, or enter it where it is made")
    return restore_block, (type(block),), block._obj, None, None, fill_block


def restore_block(cls: type) -> Any:
    """One that was entered, without its file; the file may lead back to it."""
    block: Any = object.__new__(cls)
    block._coro = block._obj = None
    return block


def fill_block(block: Any, file: Any) -> None:
    """With its file, or None when it has been left."""
    block._obj = file


BY_NAME: dict[tuple[str, str], Callable[[Any], Reduced]] = {
    ("aiofiles.base", "AiofilesContextManager"): _reduce_block,
    ("aiofiles.threadpool.binary", "AsyncBufferedIOBase"): _reduce_file,
    ("aiofiles.threadpool.binary", "AsyncBufferedReader"): _reduce_file,
    ("aiofiles.threadpool.binary", "AsyncFileIO"): _reduce_file,
    ("aiofiles.threadpool.text", "AsyncTextIOWrapper"): _reduce_file,
}
