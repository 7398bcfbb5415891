"""A web server in a thread of the test, which outlives the programs that are killed, and counts what they ask for."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import Self

from aiohttp import web


class Pages:
    """`/page/NAME?seconds=` answers its name, `/stream/NAME?count=&seconds=` a line for each number, `/echo` a websocket."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.order: list[str] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._started, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve()])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(60)
        return self

    def __exit__(self, *details: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        app = web.Application()
        self._add_routes(app.router)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        self._started.set()
        await self._stop.wait()
        await runner.cleanup()

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/page/{name}", self._page)
        router.add_get("/stream/{name}", self._stream)
        router.add_get("/echo", self._echo)

    def _note(self, request: web.Request) -> str:
        name = request.match_info["name"]
        self.asked[name] += 1
        self.order.append(name)
        return name

    async def _page(self, request: web.Request) -> web.Response:
        name = self._note(request)
        await asyncio.sleep(float(request.query.get("seconds", 0)))
        return web.Response(text=f"page {name}")

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        name = self._note(request)
        answer = web.StreamResponse()
        await answer.prepare(request)
        for number in range(int(request.query.get("count", 3))):
            await answer.write(f"{name}{number}\n".encode())
            await asyncio.sleep(float(request.query.get("seconds", 0.01)))
        return answer

    async def _echo(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            self.asked[f"echo {message.data}"] += 1
            await socket.send_str(message.data)
        return socket
