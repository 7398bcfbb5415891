"""What becomes of the instances in a store when the program is what its files are today: told before anything is tried."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import DurableError, MissingCodeError, SnapshotError
from ..inspect.state import SavedState
from ..inspect.verdicts import ORDER, Finding, Judge, Verdict, digests_in, modules_named, versions_in
from ..running.sources import Sources
from ..snapshot.payload import CODE
from ..stores.state import FINISHED, InstanceQuery, InstanceSummary
from ..upgrades.on_disk import MAIN, ModuleText, ProgramText
from ..upgrades.policies import OnChange
from ..upgrades.renames import new_module, renamed
from .client import AsyncClient
from .program import Program, Target, find_program

# What is to be done about what cannot go on: whether it is a script's, and whether it could go on in the code of then.
_WAYS = {
    (True, True): "`run --old-code` lets it finish in the code that it began with, `run --fresh` starts over",
    (True, False): "put the old code back, or start over with `run --fresh`",
    (False, True): 'on_change="pin" lets it finish in the code that it began with',
    (False, False): "put the old code back to let it finish",
}


class LookError(DurableError):
    """What was to be looked at is not there."""


@dataclass(frozen=True)
class Checked:
    """What becomes of an instance. ``verdict``: 'same', 'moves', 'pinned' or 'cannot', with the reason in one line.

    ``module`` and ``function`` are those of the frame that decides it; ``findings``: of all its functions. ``misfits``: calls
    of pinned code that no longer fit what is called. ``is_seen``: False if it could not be looked at.
    """

    instance_id: str
    status: str
    function: str
    verdict: Verdict
    reason: str = ""
    module: str = ""
    file: str = ""
    line: int = 0
    findings: tuple[Finding, ...] = ()
    misfits: tuple[str, ...] = ()
    is_seen: bool = True

    @property
    def goes_on(self) -> bool:
        """Whether nothing is known that will stop it."""
        return self.verdict != "cannot" and not self.misfits


async def check_instances(
    store: str, names: Sequence[str] = (), *, on_change: OnChange = "pin", old_code: bool = False
) -> list[Checked]:
    """What becomes of the instances in the store of this URL, the newest first. Nothing is imported, run or changed.

    ``names``: scripts, by path, and modules: only instances in the middle of these; none: of all. ``on_change``: the policy of
    the runtime; that of a script is the one of ``run``, with ``--old-code`` if that is said, and ``durable_import.on_change`` is
    read from the texts. Raises
    LookError if a script or module is not there, StoreError, MissingKeyError.
    """
    client = AsyncClient(store)
    try:
        asked = _Asked(names)
        check = _Check(client, asked, on_change, "pin" if old_code else "move")
        found = []
        async for summary in unfinished(client):
            checked = await check.instance(summary)
            if checked is not None:
                found.append(checked)
        return found
    finally:
        await client.close()


async def unfinished(client: AsyncClient) -> AsyncIterator[InstanceSummary]:
    cursor = None
    while True:
        page = await client.list(InstanceQuery(cursor=cursor))
        for summary in page:
            if summary.status not in FINISHED or summary.status == "failed":
                yield summary
        cursor = page.cursor
        if cursor is None:
            return


_RAN = "steps of the program ran after its failure: it goes on with --from-failure (`from_failure=True`) only"


@dataclass(frozen=True)
class ByHand:
    """How instances are to be moved: see ``migrate``."""

    to_new_code: bool = False


async def check_by_hand(client: AsyncClient, by_hand: ByHand, instance_ids: Sequence[str] | None) -> list[Checked]:
    """What becomes of instances that are moved by hand, in the order in which they are named; None: all that have not ended.

    Raises UnknownInstanceError, and as ``check_instances``.
    """
    check = _Check(client, _Asked([]), "move", "move", by_hand)
    if instance_ids is None:
        summaries = [each async for each in unfinished(client)]
    else:
        summaries = [await client.inspection.summary(each) for each in instance_ids]
    return [checked for each in summaries if (checked := await check.instance(each)) is not None]


class _Asked:
    """The scripts and modules that were named."""

    def __init__(self, names: Sequence[str]) -> None:
        self.scripts: list[Program] = []
        self.modules: list[str] = []
        for name in names:
            if name.endswith((".py", ".pyz")) or os.sep in name or os.path.isfile(name):
                self.scripts.append(find_program(Target(name, is_module=False, arguments=[])))
            else:
                self.modules.append(name)
        program = ProgramText(_search_path(None))
        found = {name: program.module(name) for name in self.modules}
        lacking = [name for name, module in found.items() if module is None]
        if lacking:
            raise LookError(f"cannot find module {lacking[0]!r}: run this where the program runs, or name the path of a script")
        self.files = {_real(module.path): module for module in found.values() if module is not None}
        _say_new_names(program, [each for name in self.modules for each in program.below(name)])
        for script in self.scripts:
            folder, text = _main_of(script)
            _say_new_names(ProgramText(_search_path(folder), text), [MAIN])

    @property
    def is_all(self) -> bool:
        return not self.scripts and not self.modules

    def has(self, modules: set[str]) -> bool:
        """Whether one of some modules was named, or a package that it is in."""
        called = {*modules, *map(new_module, modules)}
        return any(f"{module}.".startswith(f"{name}.") for module in called for name in self.modules)

    def script_for(self, files: Counter[str], modules: set[str]) -> tuple[str, ModuleText] | None:
        """What is ``__main__`` of an instance with frames in some modules, and whose code of that was once read from some files:
        folder and text. None if it is not there, or not asked for."""
        for same in (_real, os.path.basename):
            kept = {same(file) for file in files}
            for program in self.scripts:
                if same(program.file) in kept or (not files and len(self.scripts) == 1):
                    return _main_of(program)
        for file in files:
            if _real(file) in self.files:
                module = self.files[_real(file)]
                return os.getcwd(), ModuleText(MAIN, module.path, module.source)
        if self.is_all or self.has(modules):
            for file, _ in files.most_common():
                if os.path.isfile(file):
                    return os.path.dirname(_real(file)), ModuleText(MAIN, file, Path(file).read_bytes())
        return None


def _main_of(program: Program) -> tuple[str, ModuleText]:
    loader = program.spec.loader if program.spec is not None else None
    if loader is not None and hasattr(loader, "get_data"):
        source = loader.get_data(program.file)
    else:
        source = Path(program.file).read_bytes()
    return program.folder or os.getcwd(), ModuleText(MAIN, program.file, source)


def _real(file: str) -> str:
    return os.path.realpath(file)


def _search_path(folder: str | None) -> list[str]:
    """Where modules of a program are looked for: in the folder of its script, or where it is started."""
    rest = [entry for entry in sys.path if entry and _real(entry) != _real(os.getcwd())]
    return [folder or os.getcwd(), *rest]


class _Check:
    """Looks at instances one by one; what was read of programs and texts is kept."""

    def __init__(
        self, client: AsyncClient, asked: _Asked, on_change: OnChange, of_scripts: OnChange, by_hand: ByHand | None = None
    ) -> None:
        self._inspection = client.inspection
        self._sources: Sources = self._inspection.sources
        self._asked = asked
        self._on_change = on_change
        self._of_scripts: OnChange = of_scripts
        self._by_hand = by_hand
        self._texts: dict[str, str] = {}  # by digest
        self._versions: dict[str, dict[str, ModuleText]] = {}
        self._programs: dict[str, ProgramText] = {}  # by the path of their scripts

    async def instance(self, summary: InstanceSummary) -> Checked | None:
        """What becomes of one; None if it is not asked for."""
        try:
            state = await self._inspection.saved(summary.instance_id)
        except SnapshotError as error:
            said = str(error).replace("\n", " ")
            return _checked(summary, "cannot", said, is_seen=False) if self._asked.is_all else None
        if state is None:
            return _checked(summary, "same", "it has not come to a checkpoint") if self._asked.is_all else None
        modules = modules_named(state)
        files = await self._files_of_main(state)
        main = self._asked.script_for(files, modules) if MAIN in modules else None
        if not self._asked.is_all and main is None and not self._asked.has(modules):
            return None
        if MAIN in modules and main is None:
            where = f" ({', '.join(files)})" if files else ""
            return _checked(summary, "cannot", f"its script{where} is not here: give its path", is_seen=False)
        judge = await self._judge(state, main)
        is_script = MAIN in modules
        policy = self._of_scripts if is_script else self._on_change
        if self._by_hand is not None:
            found = judge.findings("move", by_hand=True, unpins=self._by_hand.to_new_code)
        else:
            found = judge.findings(policy)
        checked = _of(summary, found, judge.misfits())
        if await self._inspection.steps_after_failure(summary.instance_id):
            checked = replace(checked, reason="; ".join([*([checked.reason] if checked.reason else []), _RAN]))
        if self._by_hand is not None or checked.verdict != "cannot" or policy == "pin":
            return checked
        can_be_pinned = all(each.verdict != "cannot" for each in judge.findings("pin"))
        way = _WAYS[is_script, can_be_pinned]
        return replace(checked, reason=f"{checked.reason}; {way}")

    async def _judge(self, state: SavedState, main: tuple[str, ModuleText] | None) -> Judge:
        version = str(state.facts.get(CODE, ""))
        wanted = {*versions_in(state), *([version] if version else [])}
        versions = {each: found for each in wanted if (found := await self._version(each)) is not None}
        then = versions.get(version, {})
        program = self._program(main)
        _say_new_names(program, [*self._asked.modules, *then, *([MAIN] if main else [])])
        for digest in digests_in(state) - {known for known, text in self._texts.items() if text}:
            self._texts[digest] = await self._sources.load(digest, [version, *versions_in(state)]) or ""
        texts = {digest: text for digest, text in self._texts.items() if text and digest in digests_in(state)}
        return Judge(state, program, texts, then, versions)

    def _program(self, main: tuple[str, ModuleText] | None) -> ProgramText:
        folder, text = main or (None, None)
        key = text.path if text is not None else ""
        if key not in self._programs:
            self._programs[key] = ProgramText(_search_path(folder), text)
        return self._programs[key]

    async def _version(self, identity: str) -> dict[str, ModuleText] | None:
        """The modules of a version; None if it is not kept, or damaged."""
        if identity not in self._versions:
            try:
                texts = await self._sources.texts_of_version(identity)
            except MissingCodeError:
                return None
            self._versions[identity] = {name: ModuleText(name, f"{name} (as of {identity[:8]})", t) for name, t in texts.items()}
        return self._versions[identity]

    async def _files_of_main(self, state: SavedState) -> Counter[str]:
        """The files that the functions of ``__main__`` were in, as far as that is known."""
        digests = {frame.digest for frame in state.frames if frame.module.partition("@")[0] == MAIN}
        places = [await self._sources.load_place(digest) for digest in digests]
        return Counter(file for file, _ in places if file)


def _say_new_names(program: ProgramText, names: Sequence[str]) -> None:
    for module in program.with_imports(names):
        for old, new in module.renamed:
            with suppress(ValueError):  # the program is told when it says it
                renamed(old, new)


def _of(summary: InstanceSummary, findings: list[Finding], misfits: list[str]) -> Checked:
    verdict: Verdict = max((each.verdict for each in findings), key=ORDER.index, default="same")
    deciding = [each for each in findings if each.verdict == verdict]
    reason = "; ".join(dict.fromkeys(each.reason for each in deciding if each.reason))
    first = deciding[0] if deciding else Finding("", summary.function, "same")
    return Checked(
        summary.instance_id,
        summary.status,
        summary.function,
        verdict,
        reason,
        first.module,
        first.file,
        first.line,
        tuple(findings),
        tuple(misfits),
    )


def _checked(summary: InstanceSummary, verdict: Verdict, reason: str, *, is_seen: bool = True) -> Checked:
    return Checked(summary.instance_id, summary.status, summary.function, verdict, reason, is_seen=is_seen)
