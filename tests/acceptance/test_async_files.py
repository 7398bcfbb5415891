"""Files of ``aiofiles`` go on where they were. The package here has the shape of it: its classes, and what these keep."""

from __future__ import annotations

from tests.harness.killing import killed_at
from tests.harness.processes import Desk

BASE = """
    import asyncio
    from collections.abc import Awaitable
    from contextlib import AbstractAsyncContextManager


    class AsyncBase:
        def __init__(self, file, loop, executor):
            self._file, self._executor, self._ref_loop = file, executor, loop

        async def call(self, name, *args):
            loop = self._ref_loop or asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, getattr(self._file, name), *args)


    class AiofilesContextManager(Awaitable, AbstractAsyncContextManager):
        __slots__ = ("_coro", "_obj")

        def __init__(self, coro):
            self._coro, self._obj = coro, None

        def __await__(self):
            if self._obj is None:
                self._obj = yield from self._coro.__await__()
            return self._obj

        async def __aenter__(self):
            return await self

        async def __aexit__(self, *error):
            await asyncio.get_running_loop().run_in_executor(None, self._obj._file.__exit__, *error)
            self._obj = None
"""

TEXT = """
    import asyncio

    from ..base import AiofilesContextManager, AsyncBase


    class AsyncTextIOWrapper(AsyncBase):
        pass


    def open_file(path, mode):
        return AiofilesContextManager(_open(path, mode))


    async def _open(path, mode):
        loop = asyncio.get_running_loop()
        return AsyncTextIOWrapper(await loop.run_in_executor(None, open, path, mode), loop, None)
"""

PROGRAM = """
    # durable: on
    import asyncio

    from aiofiles.threadpool.text import open_file
    from world import effect


    async def main():
        block = open_file("rows", "w")
        async with block as file:
            for number in range(3):
                await file.call("write", f"row {number} ")
                await effect(f"w{number}")
            same = block._obj is file
        await effect("left")
        async with open_file("rows", "r") as file:
            first = await file.call("read", 6)
            await effect("read")
            return same, block._obj, first, await file.call("read")


    print(asyncio.run(main()))
"""


def test_files_go_on_where_they_were(desk: Desk) -> None:
    """Nothing is written twice or lost, and no effect before the last one is repeated."""
    files = {"program.py": PROGRAM, "aiofiles/base.py": BASE, "aiofiles/threadpool/text.py": TEXT}
    [done] = killed_at(desk, files, (3, 6))
    assert "resuming" in done.said
    assert "held" not in done.said
    effects = (desk.folder / "killed_3_6" / "effects").read_text().split()
    assert effects == ["w0", "w1", "w2", "w2", "left", "read", "read"]
