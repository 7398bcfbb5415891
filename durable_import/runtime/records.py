"""What is kept of an instance beside its snapshot: the call that began it, how it ended, and events for it."""

from __future__ import annotations

import asyncio
import secrets
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import (
    DurableError,
    InstanceCancelledError,
    InstanceFailedError,
    InstanceMismatchError,
    SnapshotAuthenticationError,
    SnapshotError,
    UnsavableStateError,
)
from ..snapshot.seal import Seal
from ..snapshot.snapshot import Encoder, Snapshot


@dataclass(frozen=True)
class Call:
    """A function and the arguments that an instance of it begins with."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]

    @property
    def name(self) -> str:
        """As an instance's function is called in its state."""
        return str(getattr(self.function, "__qualname__", None) or repr(self.function))


@dataclass(frozen=True)
class Outcome:
    """How an instance ended. ``error`` is None for a result."""

    status: str
    result: Any = None
    error: BaseException | None = None

    def give(self, instance_id: str) -> Any:
        """The result; raises the exception of an instance that failed, InstanceCancelledError for one that was cancelled."""
        if self.status == "cancelled":
            raise InstanceCancelledError(f"instance {instance_id!r} was cancelled")
        if self.error is not None:
            raise self.error
        return self.result


class Records:
    """Seals and opens the records of one instance."""

    def __init__(self, seal: Seal, instance_id: str) -> None:
        self._seal = seal
        self._encoder = Encoder(instance_id)
        self._instance_id = instance_id

    # --- calls

    def seal_call(self, call: Call) -> bytes:
        """Raises UnsavableStateError, which names the argument."""
        arguments = {f"argument {index}": value for index, value in enumerate(call.arguments)}
        arguments |= {f"argument {name}": value for name, value in call.keywords.items()}
        try:
            return self._put({"call": (call.function, call.arguments, call.keywords)})
        except UnsavableStateError:
            for name, value in arguments.items():
                self._put({name: value})  # raises the error that names it
            raise

    def open_call(self, blob: bytes) -> Call:
        """The call that ``seal_call`` has sealed."""
        return Call(*self._take("call", blob))

    def check_same(self, call: Call, blob: bytes) -> None:
        """Raise InstanceMismatchError if another call has begun the instance."""
        if not blob:
            return
        known = self.open_call(blob)
        what = ""
        if call.name != known.name:
            what = f"it is a run of {known.name!r}, not of {call.name!r}"
        elif not self._are_same(call, known):
            what = f"it was begun as {_shown(known)}, not as {_shown(call)}"
        if what:
            raise InstanceMismatchError(
                f"instance {self._instance_id!r} exists already: {what}. Choose another instance id, or call it as it was begun."
            )

    def _are_same(self, call: Call, known: Call) -> bool:
        """Whether two calls have equal arguments, or arguments of the same state: not all classes define equality."""
        one, other = ((each.arguments, each.keywords) for each in (call, known))
        if _are_equal(one, other):
            return True
        self.seal_call(call)  # raises the error that names what cannot be saved
        return self._encoder.encode(Snapshot(None, {"call": one})) == self._encoder.encode(Snapshot(None, {"call": other}))

    # --- outcomes

    def seal_result(self, result: Any, encoder: Encoder) -> bytes:
        """``encoder``: that of the instance, which knows the script whose data belong to it. Raises UnsavableStateError."""
        return self._seal.seal(self._instance_id, encoder.encode(Snapshot(None, {"result": result})))

    def seal_error(self, error: BaseException) -> bytes:
        """An exception; if it cannot be saved, an InstanceFailedError that says the same."""
        try:
            return self._put({"exception": error})
        except Exception:  # whatever its class's own code raises
            told = InstanceFailedError("".join(traceback.format_exception(error)))
            return self._put({"exception": told})

    def open_outcome(self, status: str, blob: bytes, encoder: Encoder | None = None) -> Outcome:
        """What ``seal_result`` or ``seal_error`` has sealed."""
        if status == "completed":
            return Outcome(status, self._take("result", blob, encoder))
        if status == "cancelled":
            return Outcome(status, None, asyncio.CancelledError())
        return Outcome(status, None, self._take("exception", blob))

    # --- events

    def seal_event(self, name: str, payload: Any) -> bytes:
        """Raises UnsavableStateError."""
        try:
            return self._put({"event": (name, secrets.token_hex(8), payload)})
        except UnsavableStateError:
            self._put({"payload": payload})  # raises the error that names it
            raise

    def open_event(self, name: str, blob: bytes) -> Any:
        """The payload of an event of that name."""
        sealed_name, _, payload = self._take("event", blob)
        if sealed_name != name:
            raise SnapshotAuthenticationError(
                f"event {name!r} for instance {self._instance_id!r} looks tampered with: it was published as {sealed_name!r}. "
                "It was not delivered and stays where it is."
            )
        return payload

    # ---

    def _put(self, facts: dict[str, Any]) -> bytes:
        return self._seal.seal(self._instance_id, self._encoder.encode(Snapshot(None, facts)))

    def _take(self, kind: str, blob: bytes, encoder: Encoder | None = None) -> Any:
        payload = self._seal.open(self._instance_id, blob)
        try:
            facts = (encoder or self._encoder).decode(payload).facts
        except DurableError:
            raise
        except Exception as error:
            raise SnapshotError(
                f"the {kind} of instance {self._instance_id!r} cannot be read: {type(error).__name__}: {error}. It is kept: mend "
                "what is missing and try again"
            ) from error
        if kind not in facts:
            raise SnapshotAuthenticationError(
                f"the {kind} of instance {self._instance_id!r} looks swapped: it is another record of the same instance. "
                "It was left as it is; put the right one back."
            )
        return facts[kind]


def _are_equal(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except Exception:  # of classes whose == is something else, arrays for one: their bytes decide
        return False


def _shown(call: Call) -> str:
    words = [_short(value) for value in call.arguments] + [f"{name}={_short(value)}" for name, value in call.keywords.items()]
    return f"{call.name}({', '.join(words)})"


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception as error:
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    return text if len(text) <= 60 else f"{text[:57]}..."
