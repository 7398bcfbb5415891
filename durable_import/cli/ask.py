"""``ask``: a question for an instance that runs, and its answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .. import DurableError
from .asking import ask_of
from .speech import FOUND, SUSPENDED, USAGE, print_document, say

if TYPE_CHECKING:
    from ..api.connection import Client, ClientHandle


def ask_instance(instance_id: str, name: str, payload: str | None, *, timeout: float, store: str, as_json: bool) -> int:
    """Print the answer to a question whose payload is JSON text, or None: as JSON, what has no JSON as ``repr`` shows it.

    Gives the exit status. Raises DurableError.
    """
    try:
        value = json.loads(payload) if payload is not None else None
    except ValueError as error:
        say(f"the payload is not JSON: {error}. Text stands in double quotes: '\"yes\"'")
        return USAGE

    def ask(client: Client, handle: ClientHandle) -> int:  # noqa: ARG001
        handle.info()
        try:
            answer: Any = handle.ask(name, value, timeout=timeout)
        except TimeoutError as error:
            say(str(error))
            return SUSPENDED
        except (DurableError, ValueError):
            raise
        except Exception as error:  # what the instance has answered by
            say(f"instance {instance_id} answers {name!r} by {type(error).__name__}: {error}")
            return FOUND
        if as_json:
            print_document({"id": instance_id, "question": name, "answer": answer})
        else:
            print(json.dumps(answer, default=repr))
        return 0

    return ask_of(store, instance_id, ask)
