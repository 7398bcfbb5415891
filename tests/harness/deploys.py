"""A program whose text changes while it runs, in this process: at one checkpoint its modules are imported again from other texts.

Where frames are pinned, its state is saved, dropped and restored at every step after that: what is in code of then stays there.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
import types
from collections.abc import Collection, Coroutine, Iterator, Mapping
from functools import lru_cache
from typing import Any

from durable_import.errors import CodeChangedError, MissingCodeError
from durable_import.frames import ambient
from durable_import.frames.restart import durable_form
from durable_import.hook.code_table import KNOWN, MODULES, PROGRAM, register_module
from durable_import.hook.exchange import exchange
from durable_import.rewrite.compiler import compile_module
from durable_import.rewrite.rewritten import RewrittenModule
from durable_import.running.instance.checkpoint import Checkpoint
from durable_import.running.instance.driver import InstanceDriver
from durable_import.running.instance.reopening import reopened
from durable_import.running.sources import Sources
from durable_import.snapshot.encoder import Encoder
from durable_import.snapshot.module_data.modules import ScriptData
from durable_import.snapshot.payload import Snapshot
from durable_import.upgrades import policies, versions
from durable_import.upgrades.kept import KeptTexts
from durable_import.upgrades.policies import OnChange
from tests.fuzz.native import EFFECTS, observed
from tests.harness.torture import TortureDriver

HERE = "|"  # among the effects: where the text changes
REFUSED = "NO"  # what the outcome begins with when the state cannot go on
Texts = Mapping[str, str]  # by name of the module, in the order in which they are imported; the last one has ``main``
_numbers = itertools.count()


class DeployDriver(TortureDriver):
    """Goes on in the modules of other texts from checkpoint number ``at`` on."""

    at = -1
    policy: OnChange = "pin"
    is_deployed = False
    seen = -1  # how many effects there were when it was restored last

    _owe, _attend = InstanceDriver._owe, InstanceDriver._attend  # a call that has failed is a checkpoint, too

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.today: Texts = {}
        store: Any = _Kept()
        self.sources = Sources(store)

    def _save(self, checkpoint: Checkpoint) -> Any:
        is_quiet = checkpoint.number < self.at or self.policy != "pin" or len(EFFECTS) == self.seen
        if checkpoint.number != self.at and is_quiet:
            self.deferred = None
            self.keep(checkpoint)
            return
        yield from super()._save(checkpoint)

    def _look(self, payload: bytes) -> None:
        """What others see is what the texts on the disk say: not what is tried here."""

    async def reopened(self, checkpoint: Checkpoint) -> Snapshot:
        """The state as it was saved, in the modules of today."""
        await self.sources.save(checkpoint.code, checkpoint.version)
        if checkpoint.number == self.at:
            EFFECTS.append(HERE)
            self.is_deployed = True
            import_texts(self.today)
            if self.encoder.script is not None:
                self.encoder.script = ScriptData.of(self.encoder.script.module)
        self.encoder.kept_texts = KeptTexts(self.policy)
        self.seen = len(EFFECTS)
        payload, segments = checkpoint.saved.payload, self.segments or {}
        return await reopened(self.encoder, payload, segments, self.sources, _at_once)


class _Kept(dict[str, str]):
    """What a store keeps of the texts."""

    async def save_source(self, digest: str, text: str) -> None:
        self[digest] = text

    async def need_sources(self, digests: Collection[str]) -> set[str]:
        return self.keys() & set(digests)

    async def load_source(self, digest: str) -> str | None:
        return self.get(digest)


async def _at_once(opening: Coroutine[Any, Any, Snapshot]) -> Snapshot:
    return await opening


@lru_cache(maxsize=256)
def _compiled(text: str, path: str, name: str) -> RewrittenModule:
    return compile_module(text.encode(), path, name)


@contextlib.contextmanager
def imported(texts: Texts, *, rewritten: bool) -> Iterator[types.ModuleType]:
    """The modules of a program while it runs; gives the one that has ``main``."""
    try:
        yield import_texts(texts, rewritten=rewritten)
    finally:
        forget(texts)


def import_texts(texts: Texts, *, rewritten: bool = True) -> types.ModuleType:
    """Import modules as a new process does."""
    forget(texts)
    for name, text in texts.items():
        module = types.ModuleType(name)
        module.__file__ = path = f"{name}.py"
        sys.modules[name] = module
        if rewritten:
            compiled = _compiled(text, path, name)
            register_module(name, path, text.encode(), compiled)
            exec(compiled.code, module.__dict__)
        else:
            exec(compile(text, path, "exec", dont_inherit=True), module.__dict__)
    return module


def forget(texts: Texts) -> None:
    """Make the process one that has not imported them."""
    for name in texts:
        sys.modules.pop(name, None)
        MODULES.pop(name, None)
        PROGRAM.pop(name, None)
    vars(versions)["_known"].clear()
    for key in [key for key, info in KNOWN.items() if info.module.name in texts]:
        del KNOWN[key]
    said = vars(policies)["_policies"]
    for module, place in list(said):
        if module in texts:
            del said[module, place]


def natively(texts: Texts) -> str:
    """The effects and the result of a program, natively."""

    def run() -> str:
        with imported(texts, rewritten=False) as module:
            return _ended(asyncio.run(module.main()))

    return _said(run)


def deployed(then: Texts, today: Texts, at: int, policy: OnChange, *, is_script: bool = False) -> str | None:
    """The same of one whose text changes at a checkpoint, with ``|`` among the effects; None if it has none of that number.

    Not all numbers are of checkpoints that are kept: where none is, nothing is said.
    """
    drivers: list[DeployDriver] = []

    def run() -> str:
        with imported(then, rewritten=True) as module:
            exchange()
            encoder = Encoder("deploy", ScriptData.of(module.__name__) if is_script else None)
            try:
                return _ended(asyncio.run(_driven(module.main, encoder, drivers, today, at, policy)))
            except (CodeChangedError, MissingCodeError) as error:
                return f"{REFUSED} {_reason(error)}"
            finally:
                forget(today)

    said = _said(run)
    if drivers[0].is_deployed:
        return said
    return None if drivers[0].checkpoint < at else ""


async def _driven(main: Any, encoder: Encoder, drivers: list[DeployDriver], today: Texts, at: int, policy: OnChange) -> Any:
    driver = DeployDriver(durable_form(main()), encoder, None)
    drivers.append(driver)
    driver.at, driver.today, driver.policy, driver.every = at, today, policy, 1
    ambient.switch_on(driver)
    try:
        return await driver
    finally:
        ambient.ON.remove(driver)


def _ended(result: Any) -> str:
    return f"-> {result}"


def _reason(error: Exception) -> str:
    """The part of a sentence that says why."""
    words = str(error).partition("\n")[0].rpartition("the code of today: ")[2].removesuffix(".")
    for other in ("has changed since the state was saved", "which is no longer there"):
        if other in words:
            return other
    return words


def _said(run: Any) -> str:
    outcome = observed(run)
    words = [*outcome.effects, outcome.result] if outcome.result != "escaped" else [*outcome.effects]
    return " ".join([*words, *(f"[{each}]" for each in outcome.complaints)])
