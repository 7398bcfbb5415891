"""Questions: what others ask an instance that runs, and its answers. Rewritten like asyncio's own code.

A question is an event of the instance: it is had once, and waits until somebody asks for it. Its answer is part of the state
until the store has it, which it gets when that state is committed: each question is answered once, whatever is killed.
"""

from __future__ import annotations

import contextvars
import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any

from ..errors import DurableError
from ..frames import ambient
from .events import inbox_for, next_event
from .loop import InstanceLoop

ASKED = "@ask:"  # begins the name under which questions wait in an inbox: behind it is that of the questions


class Request:
    """One question ``name``, as ``questions`` gives it: what was asked is ``payload``, anything that can be saved."""

    def __init__(self, question_id: str, name: str, payload: Any) -> None:
        self._id = question_id
        self._is_answered = False
        self.name = name
        self.payload = payload

    def __repr__(self) -> str:
        return f"<Request {self.name!r}: {self.payload!r:.80}>"

    def answer(self, value: Any = None) -> None:
        """Give who has asked a value as it is now; it is sent when the state of the instance is committed.

        Raises UnsavableStateError for what cannot be saved, and DurableError if there is an answer already.
        """
        self._give(is_error=False, value=value)

    def fail(self, error: Exception) -> None:
        """Let an exception be raised where it was asked."""
        self._give(is_error=True, value=error)

    def _give(self, *, is_error: bool, value: Any) -> None:
        loop: Any = ambient.current_driver.get()
        if type(loop) is not InstanceLoop or loop.holder is None:
            raise DurableError(f"the question {self.name!r} was answered outside of its instance: answer it in durable code")
        if self._is_answered:
            raise DurableError(f"the question {self.name!r} has its answer already: each is answered once")
        loop.answer(self._id, loop.holder.seal_answer(self._id, is_error=is_error, value=value))
        self._is_answered = True


async def questions(name: str) -> AsyncIterator[Request]:
    """The questions ``name`` that are asked of the instance (``handle.ask(name, payload)``), in their order, without an end:
    ``async for request in questions("price"): request.answer(prices[request.payload])``.

    Those from before wait for it. Several tasks that ask for one name share them. Raises DurableError outside of an instance.
    """
    while True:
        yield await next_event(f"{ASKED}{name}", f"questions({name!r})")


def on_ask(name: str, function: Callable[[Any], Any] | None) -> None:
    """Let a function answer the questions ``name`` from now on, whatever the instance waits for: a plain read of its state.

    It is called with the payload, between the turns of tasks, and must not be ``async``; an exception of it is raised where it
    was asked. It belongs to the state of the instance. None: questions wait again. Raises DurableError outside of an instance.
    """
    if function is not None and (not callable(function) or inspect.iscoroutinefunction(function)):
        raise TypeError(f"on_ask() takes a plain function, which only looks, not {function!r}: for others there is questions()")
    inbox = inbox_for(f"on_ask({name!r})")
    answerers = {**(inbox.answerers or {}), name: function}
    inbox.answerers = {key: each for key, each in answerers.items() if each is not None} or None


def deliver_question(loop: InstanceLoop, number: int, question: tuple[str, str, Any]) -> None:
    """Take a question, an event of the store; one that the instance has had already is ignored."""
    request = Request(*question)
    loop.deliver(number, f"{ASKED}{request.name}", request)


def is_asked(loop: InstanceLoop) -> bool:
    """Whether ``answer_questions`` has something to do."""
    answerers = loop.inbox.answerers
    return answerers is not None and any(f"{ASKED}{name}" in loop.inbox.kept for name in answerers)


def answer_questions(loop: InstanceLoop) -> None:
    """Let the functions of ``on_ask`` answer what waits for them: between two turns."""
    for name, function in (loop.inbox.answerers or {}).items():
        waiting = loop.inbox.take(f"{ASKED}{name}")
        while waiting:
            context = contextvars.copy_context()
            context.run(ambient.current_driver.set, loop)
            outside = loop.enter(None)
            try:
                context.run(_read, function, waiting[0])
            finally:
                loop.leave(outside)
            waiting = loop.inbox.take(f"{ASKED}{name}")


def _read(function: Callable[[Any], Any], request: Request) -> None:
    try:
        request.answer(function(request.payload))
    except Exception as error:
        request.fail(error)
