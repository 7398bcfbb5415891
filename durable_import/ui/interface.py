"""What programs of any language ask for: the documents of ``--json``, by HTTP."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from ..api.client import AsyncClientHandle
from ..api.documents import event_documents, history_documents, instance_document, list_document
from ..inspect.masks import Mask
from ..inspect.values import Limits
from .acts import FORKING, USUAL, act, ask, fork, read_timeout, send
from .libraries import HTTPException, Request, Response, Route
from .openapi import description
from .queries import query_of
from .site import TOLD, body_of, site_of, status_of
from .starting import FIELDS

LISTED = 100  # instances in a page, as by ``durable list``
CREATED, NOT_DONE = 201, 409
MESSAGE = {"name": None, "payload": None}

_Answer: TypeAlias = Callable[[Request], Awaitable[Response]]
_Ask: TypeAlias = Callable[[AsyncClientHandle, Request], Awaitable[Any]]


def routes() -> list[Route]:
    """The paths below ``/api``, and the description of them."""
    one = "/api/instances/{id:durable_instance}"
    return [
        Route("/openapi.json", _describe),
        Route("/api/instances", _telling(_list), methods=["GET"]),
        Route("/api/instances", _telling(_start), methods=["POST"]),
        Route(one, _of_instance(_show), methods=["GET"]),
        Route(one, _of_instance(_act("delete")), methods=["DELETE"]),
        Route(f"{one}/history", _of_instance(_history)),
        Route(f"{one}/events", _of_instance(_events), methods=["GET"]),
        Route(f"{one}/events", _of_instance(_send), methods=["POST"]),
        Route(f"{one}/ask", _of_instance(_ask), methods=["POST"]),
        Route(f"{one}/fork", _of_instance(_fork), methods=["POST"]),
        Route(f"{one}/cancel", _of_instance(_act("cancel")), methods=["POST"]),
        Route(f"{one}/retry", _of_instance(_act("retry")), methods=["POST"]),
    ]


def document_response(document: Any, status: int = 200) -> Response:
    """One document; what has no JSON is in it as ``repr`` shows it."""
    return Response(json.dumps(document, default=repr), status, media_type="application/json")


def _telling(answer: _Answer) -> _Answer:
    """The same, with errors as documents."""

    async def answer_or_tell(request: Request) -> Response:
        try:
            return await answer(request)
        except HTTPException as error:
            return document_response({"error": error.detail}, error.status_code)
        except TOLD as error:
            return document_response({"error": str(error)}, status_of(error))

    return answer_or_tell


def _of_instance(look: _Ask) -> _Answer:
    """What answers with the document that something gives of the instance in the path."""

    async def answer(request: Request) -> Response:
        found = await look(site_of(request).client.handle(request.path_params["id"]), request)
        is_refused = isinstance(found, dict) and found.get("done") is False
        return document_response(found, NOT_DONE if is_refused else 200)

    return _telling(answer)


async def _describe(request: Request) -> Response:
    return document_response(description(request.scope["root_path"]))


async def _list(request: Request) -> Response:
    page = await site_of(request).client.list(query_of(request.query_params, LISTED))
    return document_response(list_document(page))


async def _start(request: Request) -> Response:
    return document_response(await site_of(request).starter.start(await _sent(request, FIELDS)), CREATED)


async def _show(handle: AsyncClientHandle, request: Request) -> Any:
    return instance_document(await handle.info(), *await site_of(request).stack(handle))


async def _history(handle: AsyncClientHandle, request: Request) -> Any:  # noqa: ARG001
    return history_documents(await handle.history())


async def _events(handle: AsyncClientHandle, request: Request) -> Any:  # noqa: ARG001
    return event_documents(await handle.events(Limits(mask=Mask())))


def _act(command: str) -> _Ask:
    async def do(handle: AsyncClientHandle, request: Request) -> Any:  # noqa: ARG001
        return await act(handle, command)

    return do


async def _send(handle: AsyncClientHandle, request: Request) -> Any:
    sent = await _sent(request, MESSAGE)
    return await send(handle, sent["name"], sent["payload"])


async def _fork(handle: AsyncClientHandle, request: Request) -> Any:
    return await fork(site_of(request).client, handle.id, await _sent(request, FORKING))


async def _ask(handle: AsyncClientHandle, request: Request) -> Any:
    sent = await _sent(request, MESSAGE | {"timeout": USUAL})
    return await ask(handle, sent["name"], sent["payload"], read_timeout(sent["timeout"]))


async def _sent(request: Request, known: Mapping[str, Any]) -> dict[str, Any]:
    """The object that was sent, with what is ``known`` where something was left out."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # others are what a form of somebody else's page can send
        raise HTTPException(415, f"send JSON with Content-Type: application/json, not {kind!r}")
    try:
        sent = json.loads(await body_of(request))
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"what was sent is not JSON: {error}") from error
    if not isinstance(sent, dict) or sent.keys() - known.keys():
        raise HTTPException(400, f"what was sent is not an object with {', '.join(known)}")
    return {**known, **sent}
