"""The description of what programs can ask for, in the words of OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

from .. import __version__
from ..api.documents import FIELDS
from .acts import LONGEST, USUAL
from .queries import KNOWN_STATUSES, MOST

_TEXT, _NUMBER, _COUNT, _FLAG, _OBJECT = ({"type": kind} for kind in ("string", "number", "integer", "boolean", "object"))
_ANYTHING: dict[str, Any] = {}


def description(root: str) -> dict[str, Any]:
    """The document, for what is mounted below a path."""
    one = "/api/instances/{id}"
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "durable_import",
            "version": __version__,
            "description": "Instances: seen, found and asked. The documents are those of `durable ... --json`. An id is one "
            "percent-encoded part of the path; `.` and `..` are written with a `!` behind them.",
        },
        "servers": [{"url": root or "/"}],
        "security": [{"token": []}, {}],
        "paths": {
            "/api/instances": {
                "get": _operation("list", "Instances, the newest first", _ref("List"), parameters=_filters()),
                "post": _operation(
                    "start", "Start one, or join that of this id", _ref("Instance"), 400, 409, body=_body("Start"), done=201
                ),
            },
            one: {
                "parameters": [_ID],
                "get": _operation("show", "An instance with its stack", _ref("InstanceWithStack"), 404),
                "delete": _operation("delete", "Forget it, whatever it is at", _ref("Act"), 404),
            },
            f"{one}/history": _path("get", "history", "Its checkpoints so far, oldest first", _array(_ref("PastState")), 404),
            f"{one}/events": _path("get", "events", "Events that it has not taken yet", _array(_ref("Event")), 404)
            | {"post": _operation("send", "Send it an event", _ref("Sent"), 400, 409, body=_body("Message"))},
            f"{one}/ask": _path(
                "post", "ask", "Ask it, and wait for the answer", _ref("Answer"), 400, 404, 409, 502, 504, body=_body("Question")
            ),
            f"{one}/fork": _path(
                "post", "fork", "Start a new instance from what it was", _ref("Fork"), 400, 404, 409, body=_body("Forking")
            ),
            f"{one}/cancel": _path("post", "cancel", "Ask it to end", _ref("Act"), 404, 409),
            f"{one}/retry": _path("post", "retry", "Let it go on that has failed or is stuck", _ref("Act"), 404, 409),
        },
        "components": {"schemas": _SCHEMAS, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _body(name: str) -> dict[str, Any]:
    return {"required": True, "content": _json(_ref(name))}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has all of these."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _path(method: str, name: str, summary: str, answer: dict[str, Any], *refused: int, **more: Any) -> dict[str, Any]:
    return {"parameters": [_ID], method: _operation(name, summary, answer, *refused, **more)}


def _operation(
    name: str, summary: str, answer: dict[str, Any], *refused: int, body: Any = None, parameters: Any = None, done: int = 200
) -> dict[str, Any]:
    told = {
        str(status): {"description": _REFUSED[status], "content": _json(_ref("Error"))} for status in (*refused, 401, 403, 503)
    }
    if answer == _ref("Act") and 409 in refused:
        told["409"]["content"] = _json(_ref("Act"))
    made = {
        "operationId": name,
        "summary": summary,
        "responses": {str(done): {"description": summary, "content": _json(answer)}} | told,
    }
    return made | ({"requestBody": body} if body else {}) | ({"parameters": parameters} if parameters else {})


def _filters() -> list[dict[str, Any]]:
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "status": ("only these", {"type": "string", "enum": list(KNOWN_STATUSES)}),
        "function": ("only those of this function", _TEXT),
        "prefix": ("only those whose id begins so", _TEXT),
        "tag": ("only those with this tag, NAME=VALUE", _TEXT),
        "parent": ("only those that this instance has started", _TEXT),
        "limit": ("so many", {"type": "integer", "minimum": 1, "maximum": MOST, "default": 100}),
        "cursor": ("go on behind the page that has told this", _TEXT),
    }
    return [{"name": name, "in": "query", "description": told, "schema": kind} for name, (told, kind) in kinds.items()]


_ID = {"name": "id", "in": "path", "required": True, "schema": _TEXT}
_REFUSED = {
    400: "what was sent is wrong",
    401: "the token is missing or wrong",
    403: "the Host or the Origin is not its own, or nothing is started here",
    404: "there is no instance of this id",
    409: "it is in no state for this",
    502: "it answers by an exception",
    503: "the store cannot be used",
    504: "no answer in time",
}
_KINDS: dict[str, dict[str, Any]] = {
    "id": _TEXT,
    "status": {"type": "string", "enum": list(KNOWN_STATUSES)},
    "checkpoint": _COUNT,
    "location": _TEXT,
    "function": _TEXT,
    "wake_at": _or_null(_NUMBER),
    "updated_at": _NUMBER,
    "owner": _or_null(_object(host=_TEXT, pid=_COUNT)),
    "lease_until": _or_null(_NUMBER),
    "created_at": _NUMBER,
    "attempts": _COUNT,
    "error": _or_null(_TEXT),
    "hold": _or_null(_object(what=_TEXT, since=_NUMBER)),
    "parent": _or_null(_TEXT),
    "tags": {"type": "object", "additionalProperties": _TEXT},
    "is_detached": _FLAG,
    "progress": _or_null(_OBJECT),
    "forked_from": _or_null(_TEXT),
    "forked_at": _or_null(_COUNT),
}
_INSTANCE = _object(**{name: _KINDS.get(name, _ANYTHING) for name in FIELDS})
_FRAME = _object(
    function=_TEXT,
    name=_TEXT,
    module=_TEXT,
    file=_TEXT,
    line=_COUNT,
    source=_TEXT,
    variables={"type": "object", "additionalProperties": _TEXT},
)
_TASK = _object(
    name=_TEXT,
    path=_TEXT,
    status=_TEXT,
    waits_for=_TEXT,
    event=_or_null(_TEXT),
    until=_or_null(_NUMBER),
    step=_or_null(_object(call=_TEXT, function=_TEXT, key=_TEXT)),
    outcome=_or_null(_TEXT),
    frames=_array(_FRAME),
)
_MESSAGE = {"name": _TEXT, "payload": _ANYTHING}
_START = {
    "function": {"type": "string", "description": "a name that the application has given it"},
    "arguments": _array(_ANYTHING),
    "keywords": _OBJECT,
    "id": _or_null(_TEXT),
    "tags": {"type": "object", "additionalProperties": _TEXT},
}
_FORKING = {
    "checkpoint": _or_null(_COUNT),
    "new_id": _or_null(_TEXT),
    "changes": {"type": "object", "description": "values by the paths of variables, as 0/main.total"},
    "dry_run": _FLAG,
}
_TIMEOUT = {"type": "number", "minimum": 0, "maximum": LONGEST, "default": USUAL}
_SCHEMAS = {
    "Instance": _INSTANCE,
    "List": _object(items=_array(_ref("Instance")), cursor=_or_null(_TEXT)),
    "InstanceWithStack": {
        "allOf": [
            _ref("Instance"),
            _object(
                children=_array(_TEXT),
                call=_or_null(_TEXT),
                outcome=_or_null(_TEXT),
                data=_or_null(_OBJECT),
                tasks=_or_null(_array(_TASK)),
                stack_error=_or_null(_TEXT),
            ),
        ]
    },
    "PastState": _object(checkpoint=_COUNT, location=_TEXT, status=_TEXT),
    "Event": _object(number=_COUNT, name=_TEXT, payload=_TEXT),
    "Message": {"type": "object", "properties": _MESSAGE, "required": ["name"], "additionalProperties": False},
    "Question": {
        "type": "object", "properties": {**_MESSAGE, "timeout": _TIMEOUT}, "required": ["name"], "additionalProperties": False,
    },
    "Start": {
        "type": "object", "properties": _START, "required": ["function"], "additionalProperties": False,
    },
    "Forking": {"type": "object", "properties": _FORKING, "additionalProperties": False},
    "Fork": _object(
        id=_TEXT,
        forked_from=_TEXT,
        forked_at=_COUNT,
        dry_run=_FLAG,
        status=_TEXT,
        location=_TEXT,
        changes=_array(_object(path=_TEXT, before=_TEXT, after=_ANYTHING)),
    ),
    "Sent": _object(id=_TEXT, event=_TEXT, is_there=_FLAG),
    "Answer": _object(id=_TEXT, question=_TEXT, answer=_ANYTHING),
    "Act": _object(id=_TEXT, command=_TEXT, done=_FLAG, status=_TEXT),
    "Error": _object(error=_TEXT),
}  # fmt: skip
