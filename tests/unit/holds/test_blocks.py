"""Blocks that are counted while they hold: until they are left, or until there is nothing more to read in them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from durable_import.frames.counted_exit import CountedExit
from durable_import.holds.blocks import HoldingBlocks
from durable_import.holds.kinds import forget_kinds
from durable_import.holds.table import TABLE, Kind, Known


class Response:
    """As a library's."""

    def __init__(self) -> None:
        self.closed = False
        self.left: list[Any] = []

    async def leave(self, *details: Any) -> None:
        self.left.append(details)


class Task:
    """One that runs nothing."""

    def stack(self) -> list[Any]:
        return []


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[HoldingBlocks]:
    """Of an instance that owes nothing; `Response` is known."""
    monkeypatch.setitem(TABLE, f"{__name__}:Response", Known(Kind.HOLDS, spent=("closed",)))
    forget_kinds()
    yield HoldingBlocks(lambda _: False, lambda: False)
    forget_kinds()


def entered(blocks: HoldingBlocks, response: Response) -> CountedExit:
    """The exit method of a block that is open."""
    counted = blocks.exit_of(response, response.leave, sys._getframe(), Task(), is_async=True)
    assert type(counted) is CountedExit
    counted.block.is_entered()
    return counted


def test_block_whose_response_was_read(blocks: HoldingBlocks) -> None:
    """It holds no more from then on, for the doors neither; while it is left, by the library's own method, nothing is saved."""
    response = Response()
    counted = entered(blocks, response)
    block = blocks.first_open()
    assert block is counted.block
    assert blocks.doors.wants_closed(1e9)
    response.closed = True
    assert blocks.first_open() is None
    assert not blocks.doors.wants_closed(1e9)
    leaving = counted(None, None, None)
    assert blocks.first_open() is block
    with pytest.raises(StopIteration):
        leaving.send(None)
    assert blocks.first_open() is None
    assert response.left == [(None, None, None)]


def test_block_that_is_left_before(blocks: HoldingBlocks) -> None:
    """One whose response was not read holds until it has been left."""
    counted = entered(blocks, Response())
    leaving = counted(None, None, None)
    assert blocks.first_open() is counted.block
    with pytest.raises(StopIteration):
        leaving.send(None)
    assert blocks.first_open() is None
    assert not blocks.doors.wants_closed(1e9)
