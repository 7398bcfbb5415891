"""A web server in a process of its own, which outlives those that ask it: it counts which pages it has answered.

``/page/NUMBER`` answers after 0.2 s, ``/again`` how many answers were given for pages that had been answered before.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections import Counter
from types import TracebackType
from typing import Self

from aiohttp import web

from benchmarks.table import ROOT

SECONDS = 0.2


class PageServer:
    """Runs within its ``with`` block."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.pages"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def again(self) -> int:
        """Since it began."""
        with urllib.request.urlopen(f"{self.url}/again") as answer:
            return int(json.load(answer))


async def serve() -> None:
    """Print the port, and answer until the process is killed."""
    answered: Counter[str] = Counter()

    async def page(request: web.Request) -> web.Response:
        await asyncio.sleep(SECONDS)
        if request.transport is not None and not request.transport.is_closing():  # who asked lives
            answered[request.match_info["number"]] += 1
        return web.Response(text="a page " * 100)

    async def again(_: web.Request) -> web.Response:
        return web.json_response(answered.total() - len(answered))

    app = web.Application()
    app.router.add_get("/page/{number}", page)
    app.router.add_get("/again", again)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(serve())
