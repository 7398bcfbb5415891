"""Runs programs in one Python version, and goes on with their snapshots in another; see ``interpreters.ask``.

The request is a list of jobs. ``{"program": path}`` runs a program to its end and answers with its result and its
snapshots; with ``"payload"`` it goes on from that snapshot and answers with the result. Payloads are base64.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import contextvars
import io
import json
import sys
import types
from pathlib import Path
from typing import Any

import durable_import  # noqa: F401  (provides what rewritten code calls)
from durable_import.frames import ambient
from durable_import.rewrite.compiler import compile_module
from durable_import.rewrite.registry import register_module
from durable_import.runtime.checkpoint import Checkpoint
from durable_import.runtime.driver import InstanceDriver
from durable_import.snapshot.modules import ScriptData
from durable_import.snapshot.snapshot import Encoder


def load_program(path: Path) -> types.ModuleType:
    """A program as a rewritten module whose name does not depend on the process."""
    name = f"crossing_{path.stem}"
    module = sys.modules[name] = types.ModuleType(name)
    module.__file__ = str(path)
    rewritten = compile_module(path.read_bytes(), str(path), name)
    register_module(name, str(path), path.read_bytes(), rewritten)
    exec(rewritten.code, module.__dict__)
    return module


async def drive(module: types.ModuleType, payload: bytes | None) -> dict[str, Any]:
    """Run a program from its beginning, or from a snapshot."""
    encoder = Encoder("crossing", ScriptData.of(module.__name__))
    payloads: list[bytes] = []

    async def commit(checkpoint: Checkpoint) -> None:
        payloads.append(checkpoint.saved.payload)

    instance = module.main() if payload is None else encoder.decode(payload).loop
    driver = InstanceDriver(instance, encoder, commit, -1 if payload is None else 0)
    ambient.switch_on(driver)  # type: ignore[arg-type]
    try:
        result = repr(await driver)
    finally:
        ambient.ON.remove(driver)  # type: ignore[arg-type]
    return {"result": result, "payloads": [base64.b64encode(p).decode() for p in payloads]}


def perform(job: dict[str, str]) -> dict[str, Any]:
    """One job, in a context of its own."""
    module = load_program(Path(job["program"]))
    payload = base64.b64decode(job["payload"]) if "payload" in job else None
    with contextlib.redirect_stdout(io.StringIO()):
        return contextvars.copy_context().run(asyncio.run, drive(module, payload))


if __name__ == "__main__":
    jobs = json.load(sys.stdin)
    sys.path.insert(0, str(Path(__file__).parent.parent / "programs"))
    print(json.dumps([perform(job) for job in jobs]))
