"""The page as an application, to be mounted in another one or served alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import TYPE_CHECKING

from ..api.client import AsyncClient
from ..stores.backend import OrchestrationBackend
from ..stores.base import StateStore
from . import interface, live, pages
from .counts import Counts
from .guard import Guard, Policy
from .interface import document_response
from .libraries import HTTPException, Middleware, Receive, Request, Response, Route, Scope, Send, Starlette
from .paths import RawPaths
from .site import Site
from .starting import Function, Starter

if TYPE_CHECKING:
    from ..api.runtime import DurableRuntime

_KINDS = {"style.css": "text/css", "live.js": "text/javascript", "icon.svg": "image/svg+xml"}


def app(
    store: str | StateStore | OrchestrationBackend,
    *,
    key: bytes | None = None,
    token: str | None = None,
    hosts: Iterable[str] = (),
    runtime: DurableRuntime | None = None,
    functions: Mapping[str, Function] | None = None,
) -> Starlette:
    """A page over the instances of a store, with the same for programs: ``application.mount("/durable", app(store))``.

    It answers this machine only, by the names of loopback, unless there is a ``token``: who has that, in a header
    ``Authorization: Bearer ...`` or typed into the page, may ask from elsewhere. ``hosts``: the names under which it may be asked
    for then. ``functions``: what programs may start by ``POST /api/instances``, by name, in ``runtime``. ``store``, ``key``: as
    for ``connect``. Raises ValueError, UnknownStoreError and MissingDriverError.
    """
    policy = Policy.of(token, hosts)
    client = AsyncClient(store, key)
    site = Site(client, Counts(client), policy, Starter(runtime, functions or {}))
    pages.compile_templates()

    @asynccontextmanager
    async def lifespan(application: Starlette) -> AsyncIterator[None]:  # noqa: ARG001
        yield
        await client.close()

    application = Starlette(
        routes=[*pages.routes(), *live.routes(), *interface.routes(), Route("/static/{name}", _file)],
        middleware=[Middleware(RawPaths), Middleware(Guard, policy=policy, sign_in=_sign_in)],
        exception_handlers={HTTPException: _refuse},
        lifespan=lifespan,
    )
    application.state.site = site
    return application


async def _file(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _KINDS:
        raise HTTPException(404, f"there is no file {name!r}")
    text = (files("durable_import.ui") / "static" / name).read_bytes()
    return Response(text, media_type=_KINDS[name])


async def _refuse(request: Request, error: Exception) -> Response:
    path = request.scope["path"].removeprefix(request.scope["root_path"])
    if path.startswith("/api/") and isinstance(error, HTTPException):
        return document_response({"error": error.detail}, error.status_code)
    return await pages.refusal(request, error)


async def _sign_in(scope: Scope, receive: Receive, send: Send) -> None:
    response = await pages.ask_for_token(Request(scope))
    await response(scope, receive, send)
