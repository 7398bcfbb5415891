"""A fault at each call of the store, for any programs of the suite: ``python -m tests.running.fault_campaign [NAME ...]``.

Some of them are among the tests (``test_fault_at_each_call``). Of those that end by an exception only the kind of it is compared:
in a store it loses its place.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from durable_import import DurableRuntime
from durable_import.stores.url import open_store
from durable_import.testing.faults import Faults
from tests.harness.crash import PROGRAMS
from tests.harness.imports import fresh, imported_rewritten
from tests.harness.torture import native, observe
from tests.running.test_fault_at_each_call import at_each_call, repeated


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[DurableRuntime, Faults]]:
    """A runtime over an empty store in memory, and what goes wrong with it."""
    store = open_store("memory:")
    faults = Faults(store)
    async with DurableRuntime(store, key=bytes(32), poll_interval=0.02, lease_seconds=0.5) as runtime:
        yield runtime, faults


async def check(path: Path, log: Path) -> int:
    """Gives how many calls of the store a program has; raises AssertionError when it does not end as natively."""
    imported_rewritten(path.stem)

    async def once(runtime: DurableRuntime) -> None:
        log.write_text("")
        main = fresh(path.stem).main
        handle = await repeated(lambda: runtime.start(main, instance_id="it"))
        try:
            result = repr(await repeated(lambda: handle.result(timeout=60)))
        except (Exception, SystemExit, GeneratorExit) as error:
            result = type(error).__name__
        assert (result, log.read_text().splitlines()) == (ended, effects), (result, log.read_text().splitlines())

    ended, effects = await asyncio.to_thread(observe, native, path, log)
    if not ended.startswith(("'", "(", "[", "{")) and f" at {path}:" in ended:
        ended = ended.partition(":")[0]
    return await at_each_call(opened, once)


def main(names: list[str]) -> int:
    """Check programs by their names, or all; gives how many have failed."""
    programs = [PROGRAMS / f"{name}.py" for name in names] or sorted(PROGRAMS.rglob("[pc][0-9]*.py"))
    failed = calls = 0
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EFFECT_LOG"] = str(Path(folder) / "effects")
        os.chdir(folder)
        for path in programs:
            sys.path[:0] = [str(PROGRAMS), str(path.parent)]
            try:
                calls += asyncio.run(check(path, Path(folder) / "effects"))
            except Exception as error:
                failed += 1
                print(f"{path.stem}: {type(error).__name__}: {str(error)[:300]}", flush=True)
            finally:
                del sys.path[:2]
    print(f"{len(programs)} programs, {calls} calls of the store, each failed before and after: {failed} programs differ")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) > 0)
