"""What people see and do: each action is a form, and works without a script."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..api.client import AsyncClientHandle
from ..api.documents import document_of, list_document
from ..errors import DurableError, MissingKeyError, SnapshotError, StoreError
from ..inspect.masks import Mask
from ..inspect.values import Limits
from ..stores.state import FINISHED, InstanceQuery
from .acts import ASKED_FOR, USUAL, act, ask, fork, read_payload, read_timeout, send
from .differences import differences
from .libraries import HTMLResponse, HTTPException, RedirectResponse, Request, Response, Route, jinja2
from .paths import part_of
from .queries import KNOWN_STATUSES, query_of, url_of
from .site import TOLD, form_of, site_of, status_of
from .views import moment, task_tree, version_of, waiting_of

LISTED = 50  # instances in a page
_MOST_FUNCTIONS = 100  # to choose from
_MOST_PAST = 100  # checkpoints of a timeline: the last ones
_MOST_DIFFERENCES = 500
_LONGEST_NUMBER = 18
_SEE_OTHER = 303
_DONE = {
    "send": "The event is sent.",
    "fork": "This is the new instance: it goes on in the next process that has its program and looks for work.",
    "cancel": "It is asked to end: its process is told within a second, or the one that takes it up next.",
    "retry": "It goes on from its last checkpoint, in the next process that has its program and looks for work.",
    "delete": "The instance is forgotten.",
}
_NOT_DONE = {
    "cancel": "It has ended already.",
    "retry": "What can be retried has failed, is stuck, or is to be tried again later: it is none of these.",
}

_Page = Callable[[Request], Awaitable[Response]]

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("durable_import.ui"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals.update(moment=moment, part_of=part_of, url_of=url_of, statuses=KNOWN_STATUSES)


def routes() -> list[Route]:
    """The paths of pages and forms."""
    one = "/instances/{id:durable_instance}"
    acts = [Route(f"{one}/{name}", _telling(_do(name)), methods=["POST"]) for name in ASKED_FOR]
    return [
        Route("/", _telling(_list)),
        Route("/instances", _telling(_list)),
        Route("/sign-in", _telling(_sign_in), methods=["POST"]),
        Route(one, _telling(_instance)),
        Route(f"{one}/history", _telling(_compare)),
        Route(f"{one}/send", _telling(_send), methods=["POST"]),
        Route(f"{one}/fork", _telling(_fork), methods=["POST"]),
        Route(f"{one}/ask", _telling(_ask), methods=["POST"]),
        *acts,
    ]


def compile_templates() -> None:
    """So that who comes first does not wait for it."""
    for name in _templates.list_templates():
        _templates.get_template(name)


def render(request: Request, name: str, status: int = 200, **values: Any) -> Response:
    """A page of a template; nothing that it is given is taken for HTML."""
    given = {"root": request.scope["root_path"], "csrf_token": site_of(request).policy.csrf_token, **values}
    text = _templates.get_template(name).render(given)
    return HTMLResponse(text.encode("utf-8", "replace"), status)  # an id may have half of a character


async def refusal(request: Request, error: Exception) -> Response:
    """A page that says what is wrong."""
    known = isinstance(error, HTTPException)
    status, text = (error.status_code, error.detail) if known else (status_of(error), str(error))  # type: ignore[attr-defined]
    return render(request, "message.html", status, title="This cannot be shown" if status != 404 else "Not found", text=text)


def _telling(page: _Page) -> _Page:
    """The same, with errors as pages."""

    async def answer(request: Request) -> Response:
        try:
            return await page(request)
        except TOLD as error:
            return await refusal(request, error)

    return answer


# --- all instances


async def look_at_list(request: Request, asked: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    """What the list shows, and what tells that from another state of it."""
    site = site_of(request)
    query = query_of(asked, LISTED)
    page = await site.client.list(query)
    by_status = await site.counts.count(_without(query, "status"), "status")
    by_function = await site.counts.count(_without(query, "function"), "function")
    shown = {"query": query, "page": page, "by_status": by_status, "by_function": _largest(by_function)}
    return shown, version_of([list_document(page), by_status, by_function])


def _without(query: InstanceQuery, *names: str) -> InstanceQuery:
    given = {name: getattr(query, name) for name in ("status", "function", "prefix", "tag", "parent") if name not in names}
    return InstanceQuery(**given)


def _largest(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_FUNCTIONS]


async def _list(request: Request) -> Response:
    asked = dict(request.query_params)
    done = asked.pop("done", "")
    shown, version = await look_at_list(request, asked)
    return render(request, "list.html", version=version, done=_DONE.get(done, ""), tag=asked.get("tag", ""), **shown)


# --- one instance


async def look_at_instance(request: Request, instance_id: str) -> tuple[dict[str, Any], str]:
    """What the page of an instance shows, without its stack, and what tells that from another state of it."""
    handle = site_of(request).client.handle(instance_id)
    found = await handle.info()
    lack = ""
    try:
        waiting = waiting_of(await handle.events(Limits(mask=Mask())))
    except (MissingKeyError, SnapshotError) as error:
        waiting, lack = [], str(error)
    shown = {"found": found, "waiting": waiting, "waiting_lack": lack}
    return shown, version_of([document_of(found), found.children, [(each.kind, each.name) for each in waiting]])


async def _instance(request: Request) -> Response:
    done = request.query_params.get("done", "")
    return await _show(request, request.path_params["id"], done=_DONE.get(done, ""))


async def _show(request: Request, instance_id: str, status: int = 200, **told: Any) -> Response:
    """The page of an instance. ``told``: ``done``, ``problem``, or an ``answer`` with its ``question``."""
    shown, version = await look_at_instance(request, instance_id)
    handle = site_of(request).client.handle(instance_id)
    stack, stack_lack = await site_of(request).stack(handle)
    history, history_lack = await _history(handle)
    given = {
        "version": version,
        "stack": stack,
        "stack_lack": stack_lack,
        "tasks": task_tree(stack) if stack is not None else [],
        "history": history[-_MOST_PAST:],
        "left_out": len(history[:-_MOST_PAST]),
        "history_lack": history_lack,
        "has_ended": shown["found"].status in FINISHED,
        "children": await _children(request, instance_id),
        "timeout": f"{USUAL:g}",
    }
    blank: dict[str, Any] = {"done": "", "problem": "", "question": "", "answer": None, "sent": {}}
    return render(request, "instance.html", status, **{**blank, **shown, **given, **told})


async def _history(handle: AsyncClientHandle) -> tuple[list[Any], str]:
    try:
        return await handle.history(), ""
    except StoreError:
        raise
    except DurableError as error:  # the store keeps none
        return [], str(error)


async def _children(request: Request, instance_id: str) -> Any:
    try:
        return await site_of(request).client.list(InstanceQuery(parent=instance_id, order="oldest", limit=LISTED))
    except StoreError:
        raise
    except DurableError:  # the store cannot list its instances
        return []


async def _compare(request: Request) -> Response:
    """What has changed between two checkpoints: the one asked for and that before it, or another."""
    instance_id, asked = request.path_params["id"], request.query_params
    site, handle = site_of(request), site_of(request).client.handle(instance_id)
    past = await handle.history()
    numbers = [each.checkpoint for each in past]
    to = _number(asked.get("to", ""), numbers, numbers[-1])
    since = _number(asked.get("from", ""), numbers, max((each for each in numbers if each < to), default=to))
    mask = Mask()  # of both: what is a secret in one is none of the other's differences
    stacks = [await site.stack(handle, number, mask) for number in (since, to)]
    lack = next((lack for _, lack in stacks if lack), "")
    before, after = (stack for stack, _ in stacks)
    found = differences(before, after) if before is not None and after is not None else []
    given = {"instance_id": instance_id, "past": past, "since": since, "to": to, "found": found[:_MOST_DIFFERENCES], "lack": lack}
    return render(request, "history.html", left_out=len(found[_MOST_DIFFERENCES:]), **given)


def _number(text: str, known: list[int], otherwise: int) -> int:
    if not text:
        return otherwise
    if not text.isascii() or not text.isdecimal() or len(text) > _LONGEST_NUMBER or int(text) not in known:
        raise ValueError(f"checkpoint {text!r} is not kept: there are {known[0]} to {known[-1]}")
    return int(text)


# --- actions


def _do(command: str) -> _Page:
    async def do(request: Request) -> Response:
        await form_of(request)
        instance_id = request.path_params["id"]
        document = await act(site_of(request).client.handle(instance_id), command)
        if not document["done"]:
            return await _show(request, instance_id, 409, problem=_NOT_DONE[command])
        return _go(request, "/" if command == "delete" else f"/instances/{part_of(instance_id)}", command)

    return do


def _go(request: Request, path: str, done: str) -> Response:
    return RedirectResponse(f"{request.scope['root_path']}{path}?done={done}", _SEE_OTHER)


async def _send(request: Request) -> Response:
    sent, instance_id = await form_of(request), request.path_params["id"]
    try:
        payload = read_payload(sent.get("payload", ""))
        await send(site_of(request).client.handle(instance_id), sent.get("name", ""), payload)
    except TOLD as error:
        return await _show(request, instance_id, status_of(error), problem=str(error), sent={"send": sent})
    return _go(request, f"/instances/{part_of(instance_id)}", "send")


async def _fork(request: Request) -> Response:
    sent, instance_id = await form_of(request), request.path_params["id"]
    try:
        changes, number = read_payload(sent.get("changes", "")), read_payload(sent.get("checkpoint", ""))
        asked = {"checkpoint": number, "new_id": sent.get("new_id") or None, "changes": changes or {}, "dry_run": False}
        document = await fork(site_of(request).client, instance_id, asked)
    except TOLD as error:
        return await _show(request, instance_id, status_of(error), problem=str(error), sent={"fork": sent})
    return _go(request, f"/instances/{part_of(document['id'])}", "fork")


async def _ask(request: Request) -> Response:
    sent, instance_id = await form_of(request), request.path_params["id"]
    try:
        payload, timeout = read_payload(sent.get("payload", "")), read_timeout(sent.get("timeout", USUAL))
        document = await ask(site_of(request).client.handle(instance_id), sent.get("name", ""), payload, timeout)
    except TOLD as error:
        return await _show(request, instance_id, status_of(error), problem=str(error), sent={"ask": sent})
    answer = json.dumps(document["answer"], default=repr, indent=2, ensure_ascii=False)
    return await _show(request, instance_id, question=document["question"], answer=answer, sent={"ask": sent})


# --- who has the token


async def ask_for_token(request: Request, problem: str = "") -> Response:
    """A page with a form for the token; one that is in the URL is taken at once, and the URL is the same without it."""
    policy = site_of(request).policy
    given = request.query_params.get("token", "")
    if given and policy.is_token(given):
        url = request.url.remove_query_params("token")
        return _signed_in(request, f"/{url.path.lstrip('/')}{'?' if url.query else ''}{url.query}")
    return render(request, "sign_in.html", 401, problem=problem or ("This is not the token." if given else ""))


async def _sign_in(request: Request) -> Response:
    form = await form_of(request)
    if not site_of(request).policy.is_token(form.get("token", "")):
        return await ask_for_token(request, "This is not the token.")
    return _signed_in(request, f"{request.scope['root_path']}/")


def _signed_in(request: Request, path: str) -> Response:
    response = RedirectResponse(path, _SEE_OTHER)
    name, value = site_of(request).policy.cookie
    root, is_secure = request.scope["root_path"] or "/", request.url.scheme == "https"
    response.set_cookie(name, value, path=root, httponly=True, samesite="lax", secure=is_secure)
    return response
