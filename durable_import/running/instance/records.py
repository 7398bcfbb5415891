"""What is kept of an instance beside its snapshot: the call that began it, how it ended, and events for it.

The payload of each begins with a letter for its kind, which no snapshot begins with: what stands in the place of another is
refused before it is opened, for opening a snapshot makes coroutines. Snapshots and outcomes have the row's other columns that
matter sealed with them (``row_facts``). The record of a call that was made with context variables has these before the call; that
of an instance which began by being awaited has only these.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import hashlib
import json
import secrets
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...aio.unwinding import MOST_STEPS, StepOnWayOut
from ...errors import (
    DurableError,
    InstanceCancelledError,
    InstanceFailedError,
    InstanceMismatchError,
    PauseForEventException,
    SnapshotAuthenticationError,
    SnapshotError,
    UnsavableStateError,
)
from ...log import about, logger
from ...snapshot.encoder import Encoder
from ...snapshot.payload import HANDED, Snapshot
from ...snapshot.sealing.seal import OVERHEAD, Seal
from ...stores.state import ANSWER_TO, DORMANT, FINISHED, STATUSES, InstanceState

GIVEN = b"G"  # a call with context variables, behind the length of these
AFTER_FAILURE = b"W"  # an exception with what is known of its way out, behind the length of that
KINDS = {"call": b"C", "result": b"R", "exception": b"X", "cancellation": b"N", "event": b"E", "answer": b"A"}
WITH_SNAPSHOT = ("running", *DORMANT)  # and one that failed later than at its first checkpoint
OUTCOMES = {"completed": "result", "failed": "exception", "cancelled": "cancellation"}


@dataclass(frozen=True, slots=True)
class Call:
    """A function and the arguments that an instance of it begins with."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]

    @property
    def name(self) -> str:
        """As an instance's function is called in its state."""
        function = self.function
        if isinstance(function, functools.partial):
            return Call(function.func, (), {}).name
        return str(getattr(function, "__qualname__", None) or type(function).__qualname__)


class WayTaken(NamedTuple):
    """The way out of the exception by which an instance has failed: the ``steps`` of the program's own code that ran, and whether
    its last snapshot holds the state before."""

    steps: tuple[StepOnWayOut, ...] = ()
    has_before: bool = False

    def told(self) -> tuple[str, ...]:
        """A line for each place where steps began."""
        counts = Counter(map(str, self.steps))
        lines = [line if count == 1 else f"{line}, {count} times" for line, count in counts.items()]
        return (*lines, "and others") if len(self.steps) >= MOST_STEPS else tuple(lines)


@dataclass(frozen=True)
class Outcome:
    """How an instance ended. ``error``: None for a result; ``way``: its way out. ``handed``: what a script has handed to it."""

    status: str
    result: Any = None
    error: BaseException | None = None
    handed: dict[str, Any] = field(default_factory=dict)
    way: WayTaken = field(default_factory=WayTaken)

    def give(self, instance_id: str) -> Any:
        """The result; raises the exception of an instance that failed, InstanceCancelledError for one that was cancelled."""
        if self.status == "cancelled":
            raise InstanceCancelledError(f"instance {instance_id!r} was cancelled")
        if self.error is not None:
            raise self.error
        return self.result


class Records:
    """Seals and opens the records of one instance."""

    __slots__ = ("_base", "_instance_id", "_seal")

    def __init__(self, seal: Seal, instance_id: str, base: contextvars.Context | None = None) -> None:
        self._seal = seal
        self._instance_id = instance_id
        self._base = contextvars.copy_context() if base is None else base  # see ``Encoder``

    def _encoder(self) -> Encoder:
        """A new one each time: they are needed rarely, and an instance that waits needs none."""
        return Encoder(self._instance_id, base=self._base)

    # --- calls

    def seal_call(self, call: Call | None, given: bytes = b"") -> bytes:
        """``given``: the context variables, encoded. Raises UnsavableStateError, which names the argument."""
        if given:
            called = self._encode_call(call) if call is not None else b""
            return self._seal.seal(self._instance_id, b"".join((GIVEN, len(given).to_bytes(8), given, called)))
        return self._seal.seal(self._instance_id, KINDS["call"] + self._encode_call(call)) if call is not None else b""

    def _encode_call(self, call: Call) -> bytes:
        arguments = {f"argument {index}": value for index, value in enumerate(call.arguments)}
        arguments |= {f"argument {name}": value for name, value in call.keywords.items()}
        try:
            told = (call.function, call.arguments, call.keywords)
            return self.encode({"call": told, "run": secrets.token_hex(4)})  # see ``incarnation_of``
        except UnsavableStateError:
            for name, value in arguments.items():
                self.encode({name: value})  # raises the error that names it
            raise

    def open_call(self, blob: bytes) -> Call | None:
        """The call that ``seal_call`` has sealed."""
        _, called = self._parts_of_call(blob)
        return Call(*self._decode("call", called)["call"]) if called else None

    def open_given(self, blob: bytes) -> dict[str, Any]:
        """The context variables that ``seal_call`` has sealed with a call; empty if there were none."""
        given, _ = self._parts_of_call(blob) if blob else (b"", b"")
        return self._decode("context", given) if given else {}

    def rebound_call(self, blob: bytes, instance_id: str) -> bytes:
        """The record of the same call of another instance: a run of its own, whose steps have keys of their own."""
        if not blob:
            return b""
        payload = self._seal.open(self._instance_id, blob, "call")
        place = payload.rfind(_RUN) + len(_RUN)
        if place >= len(_RUN):
            payload = payload[:place] + secrets.token_hex(4).encode() + payload[place + 8 :]
        return self._seal.seal(instance_id, payload)

    def _parts_of_call(self, blob: bytes) -> tuple[bytes, bytes]:
        """The context variables, and the call."""
        return self._split(self._seal.open(self._instance_id, blob, "call"))

    def _split(self, payload: bytes) -> tuple[bytes, bytes]:
        if payload[:1] == GIVEN:
            end = 9 + int.from_bytes(payload[1:9])
            return payload[9:end], payload[end:]
        self._check_kind("call", payload)
        return b"", payload[1:]

    def content_of_call(self, call: Call) -> bytes:
        """What is the same for calls of one function with equal arguments. Raises UnsavableStateError."""
        self.seal_call(call)
        return self._bytes_of((call.name, call.arguments, call.keywords))

    def check_same(self, call: Call, blob: bytes, sealed: bytes = b"") -> None:
        """Raise InstanceMismatchError if another call has begun the instance. ``sealed``: the record of this one, if it was made:
        mostly it is the same, and the other one need not be read."""
        if not blob:
            return
        _, called = self._parts_of_call(blob)
        if not called or (sealed and _differ_in_run_only(self._split(sealed[OVERHEAD:])[1], called)):
            return
        known = Call(*self._decode("call", called)["call"])
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
        fresh = self._encoder().decode(self._bytes_of(one)).facts["call"]  # as the other one comes from its bytes
        return self._bytes_of(fresh) == self._bytes_of(other)

    def _bytes_of(self, call: Any) -> bytes:
        return self.encode({"call": call})

    def encode(self, facts: dict[str, Any]) -> bytes:
        """What is to be sealed. Raises UnsavableStateError."""
        return self._encoder().encode(Snapshot(None, facts))

    def called(self, blob: bytes) -> bytes:
        """The payload of a call, to be looked at (``inspect``); empty without one."""
        return self._parts_of_call(blob)[1] if blob else b""

    # --- outcomes

    def seal_outcome(self, outcome: Outcome, state: InstanceState, call: bytes, encoder: Encoder) -> bytes:
        """How an instance ended whose last state and call these are. An exception that cannot be saved becomes an
        InstanceFailedError that says the same.

        ``encoder``: that of the instance, which knows the script whose data belong to it. Raises UnsavableStateError for a
        result.
        """
        facts, kind = row_facts(state, call), OUTCOMES[outcome.status]
        if outcome.error is None:
            return self._put_result(facts | {kind: outcome.result}, outcome, encoder)
        try:
            payload = self._payload(kind, facts | {kind: outcome.error})
        except Exception as reason:  # whatever its class's own code raises
            told = _told(outcome.error, f"the exception could not be kept itself: {reason}")
            payload = self._payload(kind, facts | {kind: told})
        return self._seal.seal(self._instance_id, _head_of(outcome.way) + payload)

    def _put_result(self, facts: dict[str, Any], outcome: Outcome, encoder: Encoder) -> bytes:
        """With what was handed to the instance, if that can be saved."""
        kind = OUTCOMES[outcome.status]
        if outcome.handed:
            try:
                return self._put(kind, facts | {HANDED: outcome.handed}, encoder)
            except UnsavableStateError:
                instance_id = self._instance_id
                logger.debug("what was handed to instance %s is not kept with its result", instance_id, extra=about(instance_id))
        return self._put(kind, facts, encoder)

    def open_outcome(self, state: InstanceState, call: bytes, encoder: Encoder | None = None) -> Outcome:
        """What ``seal_outcome`` has sealed."""
        status = state.status
        kind = OUTCOMES[status]
        facts = self._take(kind, state.outcome, encoder if status == "completed" else None)
        self.check_row(state, call, facts)
        if status == "cancelled":
            return Outcome(status, None, asyncio.CancelledError())
        if status == "completed":
            return Outcome(status, facts[kind], handed=facts.get(HANDED, {}))
        return Outcome(status, None, facts[kind])

    # --- events

    def seal_event(self, name: str, payload: Any) -> bytes:
        """Raises UnsavableStateError."""
        try:
            return self._put("event", {"event": (name, secrets.token_hex(8), payload)})
        except UnsavableStateError:
            self._put("event", {"payload": payload})  # raises the error that names it
            raise

    def content_of_event(self, name: str, payload: Any) -> bytes:
        """What is the same for events of one name with equal payloads. Raises UnsavableStateError."""
        self.seal_event(name, payload)
        return self._bytes_of((self._instance_id, name, payload))

    def open_event(self, name: str, blob: bytes) -> Any:
        """The payload of an event of that name."""
        sealed_name, _, payload = self._take("event", blob)["event"]
        if sealed_name != name:
            raise SnapshotAuthenticationError(
                f"event {name!r} for instance {self._instance_id!r} looks tampered with: it was published as {sealed_name!r}. "
                "It was not delivered and stays where it is: put its name back, or send it again."
            )
        return payload

    def unopened(self, kind: str, blob: bytes) -> bytes:
        """The payload of an outcome or event, to be looked at (``inspect``)."""
        payload = self._seal.open(self._instance_id, blob, kind)
        payload = payload[_end_of_head(payload) :]
        self._check_kind(kind, payload)
        return payload[1:]

    def way_taken(self, outcome: bytes) -> WayTaken:
        """What is known of the way out of the exception in a sealed outcome."""
        payload = self._seal.open(self._instance_id, outcome, OUTCOMES["failed"])
        end = _end_of_head(payload)
        if not end:
            return WayTaken()
        told = json.loads(payload[9:end])
        return WayTaken(tuple(StepOnWayOut(*step) for step in told["steps"]), told["has_before"])

    # --- answers: the instance is that of ``mailbox_of``

    def seal_answer(self, *, is_error: bool, value: Any) -> bytes:
        """Raises UnsavableStateError for a value; of an exception that cannot be saved an InstanceFailedError is kept."""
        try:
            return self._put("answer", {"is_error": is_error, "value": value})
        except Exception as reason:
            if not is_error:
                raise
            return self._put("answer", {"is_error": True, "value": _told(value, f"it could not be sent itself: {reason}")})

    def open_answer(self, blob: bytes) -> Any:
        """The value; raises an exception that was sent."""
        found = self._take("answer", blob)
        if found["is_error"]:
            raise found["value"]
        return found["value"]

    # --- the row

    def check_row(self, state: InstanceState, call: bytes, facts: dict[str, Any]) -> None:
        """Raise SnapshotAuthenticationError if a state, or a call, is not the one that the facts were sealed with."""
        for key, found in row_facts(state, call).items():
            if facts.get(key, found) != found:  # those of older releases have fewer
                known = "" if key == "call" else f" ({facts[key]!r} was, {found!r} is there)"
                raise self._refusal(f"its {key} is not the one that was sealed with it{known}")

    def check_is_snapshot(self, payload: bytes) -> None:
        """Raise SnapshotAuthenticationError for the payload of a record."""
        if payload[:1] in (GIVEN, AFTER_FAILURE, *KINDS.values()):
            raise self._refusal("another record of the instance stands in the place of its snapshot")

    def check_state(self, state: InstanceState) -> InstanceState:
        """Raise SnapshotAuthenticationError for what no runtime keeps of an instance, else give it back."""
        status = state.status
        self.check_status(status)
        if bool(state.outcome) != (status in FINISHED):
            raise self._refusal(f"it has the status {status!r} and {'an' if state.outcome else 'no'} outcome")
        if status != "failed" and bool(state.snapshot) != (status in WITH_SNAPSHOT):
            what = "a snapshot" if state.snapshot else "no snapshot, which is torn or was removed"
            raise self._refusal(f"it has the status {status!r} and {what}")
        return state

    def check_status(self, status: str) -> None:
        """Raise SnapshotAuthenticationError for one that there is not."""
        if status not in STATUSES:
            raise self._refusal(f"it has the status {status!r}, and there is no such status")

    def _refusal(self, what: str) -> SnapshotAuthenticationError:
        return SnapshotAuthenticationError(
            f"the saved state of instance {self._instance_id!r} looks tampered with: {what}. It was left as it is. Put a copy "
            "back, or start the instance afresh."
        )

    # ---

    def _put(self, kind: str, facts: dict[str, Any], encoder: Encoder | None = None) -> bytes:
        return self._seal.seal(self._instance_id, self._payload(kind, facts, encoder))

    def _payload(self, kind: str, facts: dict[str, Any], encoder: Encoder | None = None) -> bytes:
        return KINDS[kind] + (encoder or self._encoder()).encode(Snapshot(None, facts))

    def _take(self, kind: str, blob: bytes, encoder: Encoder | None = None) -> dict[str, Any]:
        return self._decode(kind, self.unopened(kind, blob), encoder)

    def _check_kind(self, kind: str, payload: bytes) -> None:
        if payload[:1] != KINDS[kind]:
            raise self._refusal(f"another record of the instance stands in the place of its {kind}")

    def _decode(self, kind: str, payload: bytes, encoder: Encoder | None = None) -> dict[str, Any]:
        try:
            return (encoder or self._encoder()).decode(payload).facts
        except DurableError:
            raise
        except Exception as error:
            raise SnapshotError(
                f"the {kind} of instance {self._instance_id!r} cannot be read: {type(error).__name__}: {error}. It is kept: mend "
                "what is missing and try again"
            ) from error


def _head_of(way: WayTaken) -> bytes:
    if not way.steps and not way.has_before:
        return b""
    head = json.dumps({"steps": [list(step) for step in way.steps], "has_before": way.has_before}).encode()
    return AFTER_FAILURE + len(head).to_bytes(8) + head


def _end_of_head(payload: bytes) -> int:
    return 9 + int.from_bytes(payload[1:9]) if payload[:1] == AFTER_FAILURE else 0


ANSWER = "@answer"  # the event that has the answer to a question


def mailbox_of(question_id: str) -> str:
    """Where the answer to a question is kept: the id of an instance that there never is."""
    return f"{ANSWER_TO}{question_id}"


def row_facts(state: InstanceState, call: bytes) -> dict[str, Any]:
    """What is sealed with a snapshot or outcome of what the store keeps beside it."""
    return {"checkpoint": state.checkpoint, "function": state.function, "call": digest_of_call(call)}


def digest_of_call(call: bytes) -> bytes:
    """Of the record of a call; empty without one."""
    return hashlib.sha256(call).digest() if call else b""


def incarnation_of(call: bytes) -> str:
    """What tells the run of an instance that this call begins from others under its id, in each of its lives."""
    return hashlib.sha256(call).hexdigest()[:8]


def failure_of(error: BaseException) -> BaseException:
    """What is kept of the exception that has ended an instance, and is raised where its result is asked for."""
    if isinstance(error, PauseForEventException):
        filename, lineno, function, _ = traceback.extract_tb(error.__traceback__)[-1]
        told = DurableError(
            f"{filename}:{lineno}, in {function}: {error!r} was raised where it cannot suspend the instance, which has failed. "
            "Let an async function of a marked module raise it, by a raise statement of its own, or await "
            f"wait_for_event({error.event!r})"
        )
        told.__cause__ = error
        return told
    if not isinstance(error, Exception):  # it would end the process that asks
        return _told(error, f"{type(error).__name__} has ended this instance, not the process")
    return error


def summary_of(error: BaseException | None) -> str:
    """In one line."""
    return "".join(traceback.format_exception_only(error)).partition("\n")[0]


def _told(error: BaseException, remark: str) -> InstanceFailedError:
    said = "".join(traceback.format_exception_only(error)).rstrip()
    return InstanceFailedError(f"{said} ({remark})\n{''.join(traceback.format_exception(error))}")


_RUN = b"\x8c\x03run\x94\x8c\x08"  # in a pickle: the name of the last fact of a call, before its eight letters


def _differ_in_run_only(one: bytes, other: bytes) -> bool:
    """Whether two calls have the same bytes but for what tells runs of them apart."""
    place = one.rfind(_RUN) + len(_RUN)
    return place >= len(_RUN) and one[:place] == other[:place] and one[place + 8 :] == other[place + 8 :]


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
