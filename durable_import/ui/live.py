"""Pages that change while they are looked at: a server-sent event says that there is something new to be had."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from .libraries import Request, Response, Route, StreamingResponse
from .pages import look_at_instance, look_at_list
from .site import TOLD, site_of

EVERY = 1.0  # seconds between two looks
SHARE = 20  # a look takes at most this part of the time
_QUIET = 15.0  # seconds after which something is said, so that who has gone is missed

_Look = Callable[[], Awaitable[str]]


def routes() -> list[Route]:
    """The streams of the list and of an instance."""
    return [Route("/events", _of_list), Route("/instances/{id:durable_instance}/live", _of_instance)]


async def _of_list(request: Request) -> Response:
    asked = dict(request.query_params)
    known = asked.pop("known", "")

    async def look() -> str:
        return (await look_at_list(request, asked))[1]

    return _stream(request, look, known)


async def _of_instance(request: Request) -> Response:
    async def look() -> str:
        return (await look_at_instance(request, request.path_params["id"]))[1]

    return _stream(request, look, request.query_params.get("known", ""))


def _stream(request: Request, look: _Look, known: str) -> Response:
    return StreamingResponse(_changes(request, look, known), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _changes(request: Request, look: _Look, known: str) -> AsyncIterator[str]:
    """A message for each change; ``gone`` when there is nothing to look at any more."""
    yield "retry: 3000\n\n"
    said = time.monotonic()
    while not site_of(request).is_over.is_set():
        began = time.monotonic()
        try:
            version = await look()
        except TOLD:
            yield "event: gone\ndata: \n\n"
            return
        now = time.monotonic()
        if version != known:
            known, said = version, now
            yield f"data: {version}\n\n"
        elif now - said > _QUIET:
            said = now
            yield ":\n\n"
        await asyncio.sleep(max(EVERY, SHARE * (now - began)))
