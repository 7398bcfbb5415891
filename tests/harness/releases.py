"""Two releases of the rewriter over one module: what one has saved the other goes on with, at every checkpoint.

The other release numbers labels otherwise, and has other names for hidden variables.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import types
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from durable_import.aio.task import DurableTask
from durable_import.hook.code_table import MODULES, ModuleInfo, info_of, register_module
from durable_import.hook.in_place import replace_code
from durable_import.rewrite.analysis.suspensions import Place, points
from durable_import.rewrite.compiler import ModuleRewriting
from durable_import.rewrite.passes.hidden_names import HiddenNames
from durable_import.rewrite.rewritten import RewrittenModule
from durable_import.running.instance.checkpoint import Checkpoint
from durable_import.snapshot.encoder import Encoder
from durable_import.snapshot.module_data.modules import ScriptData
from tests.harness.torture import CheckedStacks, TortureDriver, Turns, fresh_module, tortured


class OtherNames(HiddenNames):
    """Hidden variables have longer names, numbered from another number."""

    def name(self, role: str, number: int) -> str:
        return f"@{role[:3]}_{number + 40}"


def number_otherwise(body: list[Any]) -> None:
    """Labels are far from each other."""
    for number, point in enumerate(points(body)):
        point.label = 1000 + 7 * number


class OtherRewriting(ModuleRewriting):
    """The rewriter of another release."""

    hidden_names = OtherNames
    number_labels = staticmethod(number_otherwise)


Change = Callable[[Place], Place]


class Releases:
    """A module as two releases have rewritten it: ``swap`` makes it that of the other one.

    ``change``: what the other one says of a suspension, by what today's says of it in the other's words.
    """

    def __init__(self, module: types.ModuleType, source: bytes, path: str, change: Change) -> None:
        self.module = module
        self.change = change
        self.functions = [f for f in gc.get_objects() if type(f) is types.FunctionType and f.__globals__ is vars(module)]
        self.infos = itertools.cycle([self._other(source, path), MODULES[module.__name__]])
        self.info = MODULES[module.__name__]

    def _other(self, source: bytes, path: str) -> ModuleInfo:
        today = MODULES[self.module.__name__]
        rewriting = OtherRewriting(source, path)
        code, nodes = rewriting.compiled()
        rows = tuple(self._row(rewriting.row(node)) if node is not None else None for node in nodes)
        register_module(self.module.__name__, path, source, RewrittenModule(code, rows))
        other, MODULES[self.module.__name__] = MODULES[self.module.__name__], today
        other._rewriting = OtherRewriting(source, path)
        return other

    def _row(self, row: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        if row is None:
            return None
        place, digest, suspensions = row
        return place, digest, {label: self.change(here) for label, here in suspensions.items()}

    def swap(self) -> None:
        """From now on the functions are those of the other release."""
        before, self.info = self.info, next(self.infos)
        MODULES[self.module.__name__] = self.info
        codes = {info.code: self.info.by_place[place].code for place, info in before.by_place.items()}
        replace_code(self.functions, codes.get)


class ReleasingDriver(TortureDriver):
    """At every checkpoint another release goes on."""

    counts: ClassVar[Counter[str]] = Counter()  # of all drivers together

    def __init__(self, releases: Releases, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.releases = releases

    async def swap(self, checkpoint: Checkpoint) -> None:
        self.releases.swap()
        await super().swap(checkpoint)
        self.counts["checkpoints"] += 1
        self.counts["frames"] += sum(map(self._moved, self.loop.tasks))

    def _moved(self, task: DurableTask) -> int:
        """How many frames of a task are of the release that goes on."""
        infos = [info_of(frame.cr_code) for frame in task.stack() if type(frame) is types.CoroutineType]
        return sum(info is not None and info.module is self.releases.info for info in infos)


def released(source: str, path: str = "<program>", *, forms: str = "", change: Change = lambda place: place) -> str:
    """The repr of a program's result when another release goes on with it at every checkpoint; see ``hard_torture``."""
    with fresh_module(source, path, rewritten=True) as module:
        releases = Releases(module, source.encode(), path, change)
        encoder = Encoder(
            "released", ScriptData.of(module.__name__), format_policy=Turns(forms) if forms else None, stacks=CheckedStacks()
        )
        kind = partial(ReleasingDriver, releases)
        return repr(asyncio.run(tortured(module.main, encoder, kind=kind)))
