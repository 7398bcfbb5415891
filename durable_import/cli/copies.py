"""``export``, ``import``, ``copy``: an instance as a file, and all that a store has in another one."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..api.copies import Copied, copy_store, export_instance, import_instance
from .asking import ask_of
from .speech import USAGE, print_document, say, shown_store

if TYPE_CHECKING:
    from ..api.connection import Client, ClientHandle

_FOR_OWNER = 0o600  # what is in the variables of an instance is nobody else's


def export_file(instance_id: str, file: str | None, *, store: str, as_json: bool) -> int:
    """Write an instance to a file that is not there yet, or to stdout; gives the exit status. Raises DurableError."""
    found: list[bytes] = []

    def export(client: Client, handle: ClientHandle) -> int:  # noqa: ARG001
        found.append(asyncio.run(export_instance(store, handle.id)))
        return 0

    status = ask_of(store, instance_id, export)
    if status:
        return status
    if file is None or file == "-":
        sys.stdout.buffer.write(found[0] + b"\n")
        return 0
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FOR_OWNER)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(found[0])
    except OSError as error:
        say(f"cannot write {file}: {error.strerror or error}")
        return USAGE
    if as_json:
        print_document({"id": instance_id, "file": file, "bytes": len(found[0])})
    else:
        say(f"instance {instance_id} is in {file}, and in the store as before; its variables and code can be read there")
    return 0


def import_file(file: str, *, store: str, as_json: bool) -> int:
    """Keep the instance that a file has; gives the exit status. Raises DurableError."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        instance_id = asyncio.run(import_instance(store, data))
    except OSError as error:
        say(f"cannot read {file}: {error.strerror or error}")
        return USAGE
    except ValueError as error:
        say(f"{file}: {error}")
        return USAGE
    if as_json:
        print_document({"id": instance_id})
    else:
        say(f"instance {instance_id} is in {shown_store(store)}, and goes on in the next process that has its program")
    return 0


def copy_all(source: str, target: str, *, as_json: bool) -> int:
    """Copy all instances of a store; gives the exit status. Raises DurableError."""
    is_live = sys.stderr.isatty() and not as_json

    def tell(done: Copied) -> None:
        if is_live:
            print(f"\rdurable_import: {done.copied} copied", end="", file=sys.stderr, flush=True)

    done = asyncio.run(copy_store(source, target, tell))
    if is_live:
        print("\r", end="", file=sys.stderr)
    if as_json:
        print_document({"copied": done.copied, "left": done.left, "owned": done.owned})
        return 0
    left = f"; {len(done.left)} were there already, and are left as they were" if done.left else ""
    say(f"{done.copied} instances are copied to {shown_store(target)}{left}")
    if done.owned:
        say(f"{len(done.owned)} of them are being run: their processes go on in {shown_store(source)}, so stop those first")
    return 0
