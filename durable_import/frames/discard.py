"""Dropping frames without ending them: their ``except`` and ``finally`` blocks do not run."""

from __future__ import annotations

from collections.abc import Iterable
from types import AsyncGeneratorType, CoroutineType
from typing import Any

from .capture import ANEXT, CREATED, FRAME_TYPES, SUSPENDED, parts_of, parts_of_anext
from .signals import Suspension


def discard(frames: Iterable[Any]) -> None:
    """Drop suspended coroutines and generators, outermost first; foreign code inside is closed as usual.

    A step of an asynchronous generator, which a task can drive by itself, is dropped with its generator.
    """
    for each in frames:
        frame = each if type(each) is not ANEXT else parts_of_anext(each)[0]
        if not isinstance(frame, FRAME_TYPES):
            _drop_step(frame)
            continue
        state = parts_of(frame).state
        if state == CREATED and not isinstance(frame, AsyncGeneratorType):
            frame.close()
        elif state == SUSPENDED:
            _drop(frame)


def _drop_step(step: Any) -> None:
    signal = Suspension()
    try:
        step.throw(signal)
    except (Suspension, StopIteration, StopAsyncIteration, RuntimeError):
        return
    finally:
        signal.__traceback__ = None


def _drop(frame: Any) -> None:
    signal = Suspension()
    try:
        if isinstance(frame, AsyncGeneratorType):
            if frame.ag_running:
                return  # it goes with the frame that awaits it
            frame.athrow(signal).send(None)
        else:
            frame.throw(signal)
    except Suspension:
        return
    except (StopIteration, StopAsyncIteration, RuntimeError):
        return  # a native `finally: return` of foreign code, or a generator that gave way another way
    finally:
        signal.__traceback__ = None  # what the frames held goes now, in the context that it was used in, not some time later
    kind = "coroutine" if isinstance(frame, CoroutineType) else "generator"
    raise RuntimeError(f"{kind} {frame.__qualname__} held on to a suspension signal: please report this as a bug")
