"""What becomes of a saved state in the code of today: said before it is tried, from the state and from texts alone.

The same decides it as when the state is loaded: see ``upgrades.decision`` and ``snapshot.definitions.moved``, whose counterpart
this is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from ..hook.code_table import CodeInfo
from ..hook.program_version import split
from ..rewrite.analysis.places import Places
from ..snapshot.names import MODULE, module_today
from ..snapshot.new_names import differing_in_names
from ..upgrades import decision
from ..upgrades.decision import NESTED, TextAskedError, defaults_written, first_line, moved_to, parameters_then
from ..upgrades.misfits import can_be_made, misfits
from ..upgrades.on_disk import MAIN, ModuleText, ProgramText
from ..upgrades.plan import CannotMoveError
from ..upgrades.policies import OfFunction, OnChange, policy_in
from ..upgrades.renames import new_module, new_place, said
from .classes import unfit_classes
from .frames import UNBOUND, SavedFrame
from .graph import Made, Named, is_made, items_of
from .state import SavedState

Verdict: TypeAlias = Literal["same", "moves", "pinned", "cannot"]
ORDER: tuple[Verdict, ...] = ("same", "moves", "pinned", "cannot")  # what is said of a whole is the last of its parts
_FOREIGN = "foreign_generator"  # the builder of frames of code that is not rewritten where it is called


@dataclass(frozen=True)
class Finding:
    """Of a frame, or of a function that a variable holds, or of something that is found by its name."""

    module: str
    function: str
    verdict: Verdict
    reason: str = ""
    file: str = ""
    line: int = 0
    digest: str = ""  # of the function of today in which it goes on, if that is seen


class GoneError(Exception):
    """Something is not there today."""


class Judge:
    """Of one state. ``texts``: of functions as they were, by digest; ``then``: the modules of the version that has saved it, by
    name; ``versions``: of all versions that parts of it are pinned to, as far as they are kept."""

    def __init__(
        self,
        state: SavedState,
        program: ProgramText,
        texts: Mapping[str, str],
        then: Mapping[str, ModuleText],
        versions: Mapping[str, Mapping[str, ModuleText]],
    ) -> None:
        self._state = state
        self._program = program
        self._policy: OnChange = "pin"
        self._by_hand = self._unpins = False
        self._texts = texts
        self._then = _by_names_today(then)
        self._versions = {version: _by_names_today(each) for version, each in versions.items()}
        self._pinned_places: list[tuple[Mapping[str, ModuleText], str, str]] = []  # version, module and place of what is pinned

    def findings(self, policy: OnChange, *, by_hand: bool = False, unpins: bool = False) -> list[Finding]:
        """What is found, of each function once if it is the same. ``policy``, ``by_hand``, ``unpins``: see ``KeptTexts``."""
        self._policy, self._by_hand, self._unpins = policy, by_hand, unpins
        self._pinned_places.clear()
        frames = [each for each in self._state.frames if not each.is_library]
        found = {id(each.node): self._frame(each) for each in frames}
        if all(each.verdict != "cannot" for each in found.values()):
            self._pin_awaited(frames, found)
        rest = [*(self._function(node) for node in _functions_in(self._state)), *self._gone(), *self._classes()]
        return list(dict.fromkeys([*found.values(), *rest]))

    def misfits(self) -> list[str]:
        """What the code of then that was found to go on needs, or calls, and that no longer fits."""
        data = {name.replace(":", ".").rpartition(".")[2] for name in self._state.contents}
        found = dict[str, None]()
        for version in {id(each): each for each, _, _ in self._pinned_places}.values():
            places = [(module, place) for each, module, place in self._pinned_places if each is version]
            found.update(dict.fromkeys(misfits(version, self._program, places, data)))
        return list(found)

    # --- frames

    def _frame(self, frame: SavedFrame) -> Finding:
        module, version = split(frame.module)
        module = module_today(module)
        if version and not self._unpins:
            return self._of_version(version, module, frame.place, frame.digest)
        if frame.node.ours == _FOREIGN:
            return self._foreign(module, frame)
        check = partial(self._check_frame, frame)
        found = self._decided(module, frame.place, frame.digest, check, version)
        return _unpinned(found) if version else found

    def _check_frame(self, frame: SavedFrame, info: CodeInfo, text: str) -> None:
        defaults = self._new_defaults(info, text, frame.digest)
        place = frame.suspension
        if place == 0:
            decision.check_unbegun(info, text, frame.digest, frame.cells, defaults)
        elif isinstance(place, int):
            raise CannotMoveError("the state was saved by a version that did not keep enough for that", first_line(text))
        else:
            held = {name: value for name, value in frame.values.items() if name not in frame.cells}
            given = info, text, frame.digest, place, held, frame.cells, defaults
            decision.plan_begun(*given)
            bound = {name for name in frame.cells if frame.values[name] is not UNBOUND}
            if len(bound) < len(frame.cells):
                decision.plan_begun(*given, bound=bound)

    def _new_defaults(self, info: CodeInfo, text: str, digest: str) -> set[str]:
        had = parameters_then(info, text, digest)
        return set() if NESTED in info.place else defaults_written(info) - had

    def _foreign(self, module: str, frame: SavedFrame) -> Finding:
        known = self._program.module(module)
        info = known.function(frame.place) if known is not None else None
        if info is not None and info.digest == frame.digest:
            return _finding("same", info)
        return Finding(module, frame.place, "cannot", f"the code of {frame.place!r} has changed, and it is not rewritten")

    def _pin_awaited(self, frames: list[SavedFrame], found: dict[int, Finding]) -> None:
        """Frames that pinned frames await are pinned too, if the version has them as they are."""
        by_node = {id(frame.node): frame for frame in frames}
        inner = {id(frame.node): self._awaited(frame, by_node) for frame in frames}
        for task in self._state.tasks.values():
            own = [frame for frame in task.frames if id(frame.node) in by_node]
            for outer, frame in pairwise(own):
                inner[id(outer.node)] = frame
        for frame in frames:
            version, seen = self._version_of(frame, found[id(frame.node)]), set[int]()
            awaited = inner[id(frame.node)]
            while version is not None and awaited is not None and id(awaited.node) not in seen:
                seen.add(id(awaited.node))
                key = id(awaited.node)
                if found[key].verdict != "pinned" and self._is_in(version, awaited):
                    found[key] = self._pinned(version, new_module(split(awaited.module)[0]), awaited.place)
                awaited = inner[key]

    def _awaited(self, frame: SavedFrame, by_node: Mapping[int, SavedFrame]) -> SavedFrame | None:
        node = frame.awaited
        for _ in range(8):  # what drives a coroutine is around it
            if id(node) in by_node:
                return by_node[id(node)]
            if type(node) is not Made or not node.arguments:
                return None
            node = self._state.resolve(node.arguments[0])
        return None

    def _version_of(self, frame: SavedFrame, finding: Finding) -> Mapping[str, ModuleText] | None:
        if finding.verdict != "pinned":
            return None
        version = split(frame.module)[1]
        return self._versions[version] if version else self._then

    def _is_in(self, version: Mapping[str, ModuleText], frame: SavedFrame) -> bool:
        module = new_module(split(frame.module)[0])
        known = version.get(module)
        info = known.function(frame.place) if known is not None else None
        return info is not None and info.digest == frame.digest and self._said(module, frame.place) != "latest"

    # --- functions in variables, and what is found by name

    def _function(self, node: Made) -> Finding:
        name, place, digest, cells = (self._state.resolve(each) for each in node.arguments)
        module, version = split(str(name))
        module = module_today(module)
        if version and not self._unpins:
            return self._of_version(version, module, place, digest)
        if self._is_library(module):
            return Finding(module, place, "same")
        captured = {key for key, _ in items_of(cells, "dict") or []}
        check = lambda info, text: decision.check_kept(info, text, digest, captured)  # noqa: E731
        found = self._decided(module, place, digest, check, version)
        return _unpinned(found) if version else found

    def _is_library(self, module: str) -> bool:
        return module != MAIN and module.partition(".")[0] in (*sys.stdlib_module_names, "durable_import")

    def _gone(self) -> Iterator[Finding]:
        """Classes and functions that the state names, and that are not there today."""
        for named, name, is_data in sorted(self._named()):
            module, place = new_place(module_today(split(named)[0]), name)
            if self._is_library(module):
                continue
            known, first = self._program.module(module), place.partition(".")[0]
            if known is None and module in self._then:
                yield Finding(module, place, "cannot", f"module {module!r} is not there today")
            if known is None or not self._is_durable(known) or known.may_have_more or first in known.bound:
                continue
            then = self._then.get(module)
            if self._policy == "pin" and not is_data and then is not None and can_be_made(then, first, self._program):
                reason = f"{place!r} of module {module!r} is gone today: it is that of the version that it began with"
                yield Finding(module, place, "pinned", reason, known.path)
            else:
                yield Finding(module, place, "cannot", f"{place!r} of module {module!r} is not there today", known.path)

    def _classes(self) -> Iterator[Finding]:
        """Classes whose objects cannot be restored as they are today."""
        for module, name, reason in unfit_classes(self._state, self._program):
            known = self._program.module(module)
            yield Finding(module, name, "cannot", reason, known.path if known is not None else "")

    def _named(self) -> set[tuple[str, str, bool]]:
        """What is found by its name: module, qualified name, and whether it is an object at module level."""
        found = set[tuple[str, str, bool]]()
        for node in self._state.nodes():
            if type(node) is Named and node.module != MODULE:
                found.add((node.module, node.name, False))
            elif is_made(node, "by_name") and [type(each) for each in node.arguments[:2]] == [str, str]:
                found.add((node.arguments[0], node.arguments[1], True))
        return found

    # --- what is the same for frames and functions

    def _decided(self, module: str, place: str, digest: str, check: Any, version: str = "") -> Finding:
        """``version``: that it was pinned to until now."""
        name, today = self._place_today(module, place)
        try:
            return _finding("same", self._find(name, today, digest))
        except GoneError as error:
            policy = "move" if self._by_hand else self._said(name, today) or self._policy
            known = self._program.module(name)
            if known is None or known.error or not self._is_durable(known) or policy == "refuse":
                return Finding(name, today, "cannot", str(error), known.path if known is not None else "")
            if policy == "pin":
                return self._pinned_now(module, place, digest, known)
            then = (self._versions.get(version, {}) if version else self._then).get(new_module(module))
            places = (lambda: Places(then.tree)) if then is not None else lambda: None
            return self._moved(known, today, digest, error, check, lambda: decision.was_alone(place, places))

    def _place_today(self, module: str, place: str) -> tuple[str, str]:
        module = module_today(module)
        today = new_place(module, place)
        known = self._program.module(module) if today != (module, place) else None
        if known is not None and self._is_durable(known) and known.function(place) is not None:
            return module, place
        return today

    def _find(self, module: str, place: str, digest: str) -> CodeInfo:
        """The function as it was. Raises GoneError."""
        known = self._program.module(module)
        if known is None:
            raise GoneError(f"module {module!r} is not there today")
        if not self._is_durable(known):
            raise GoneError(f"{known.path} is no longer marked durable: begin it with `# durable: on` again")
        if known.error:
            raise GoneError(f"{known.path} cannot be imported ({known.error})")
        info = known.function(place)
        if info is None:
            raise GoneError(f"{place!r} is no longer in {known.path}")
        if info.digest != digest:
            found = differing_in_names(info, digest) if said() else None
            if found is None:
                raise GoneError(f"the code of {place!r} ({known.path}:{info.code.co_firstlineno}) has changed")
            return found
        return info

    def _is_durable(self, known: ModuleText) -> bool:
        """Whether a module is rewritten: marked, or, as it was before, in another way."""
        then = self._then.get(known.name)
        return known.is_marked or (then is not None and not then.is_marked)

    def _said(self, module: str, place: str) -> OfFunction | None:
        known = self._program.module(module)
        return policy_in(known.policies, module, place) if known is not None else None

    def _moved(
        self, known: ModuleText, place: str, digest: str, error: GoneError, check: Any, was_alone: Callable[[], bool]
    ) -> Finding:
        try:
            info = decision.counterpart(known.info, place, digest, self._texts, was_alone)
            if info is None:
                return Finding(known.name, place, "cannot", str(error), known.path)
            if info.digest == digest:
                return _finding("same", info)
            text = self._texts.get(digest)
            if not text:
                raise TextAskedError(info)
            check(info, text)
        except TextAskedError as asked:
            return _finding("cannot", asked.namesake, f"{error}, and the text that it began with is not kept by this store")
        except CannotMoveError as reason:
            info = decision.namesakes_of(known.info, place)[0]
            return _finding("cannot", info, _one_line(info, reason))
        return _finding("moves", info, moved_to(info, text))

    def _pinned_now(self, module: str, place: str, digest: str, today: ModuleText) -> Finding:
        module = new_module(module_today(module))
        known = self._then.get(module)
        info = known.function(place) if known is not None else None
        if info is None or info.digest != digest:
            lack = "which the version of the program that saved it does not have" if self._then else "whose text is not kept"
            return Finding(module, place, "cannot", f"it goes on in the code of {place!r} that it began with, {lack}", today.path)
        return self._pinned(self._then, module, place)

    def _pinned(self, version: Mapping[str, ModuleText], module: str, place: str) -> Finding:
        self._pinned_places.append((version, module, place))
        today = self._program.module(module)
        path = today.path if today is not None else ""
        return Finding(module, place, "pinned", f"the code of {place!r} that it began with", path)

    def _of_version(self, version: str, module: str, place: str, digest: str) -> Finding:
        """What was pinned when it was saved."""
        module, texts = new_module(module), self._versions.get(version)
        known = texts.get(module) if texts is not None else None
        info = known.function(place) if known is not None else None
        if texts is None or info is None or info.digest != digest:
            reason = f"it goes on in version {version[:8]} of the program, whose text is not kept by this store, or damaged"
            return Finding(module, place, "cannot", reason)
        if self._program.module(module) is None:
            return Finding(module, place, "cannot", f"module {module!r} is not there today")
        return self._pinned(texts, module, place)


def _by_names_today(version: Mapping[str, ModuleText]) -> dict[str, ModuleText]:
    return {new_module(name): text for name, text in version.items()}


def _finding(verdict: Verdict, info: CodeInfo, reason: str = "") -> Finding:
    return Finding(info.module.name, info.place, verdict, reason, info.module.path, info.code.co_firstlineno, info.digest)


def _unpinned(finding: Finding) -> Finding:
    """Of what was pinned, and goes on in the code of today."""
    return (
        replace(finding, verdict="moves", reason=f"the code of {finding.function!r} of today")
        if finding.verdict == "same"
        else finding
    )


def _one_line(info: CodeInfo, error: CannotMoveError) -> str:
    said = f"the code of {info.place!r} has changed, and it cannot go on in the code of today: {error.reason}"
    return f"{said} (then: {error.then}; today: {error.today or 'nothing like it'})"


def _functions_in(state: SavedState) -> Iterator[Made]:
    """The functions of rewritten code that variables hold, with what they were made of: module, place, digest and cells."""
    return (node for node in state.nodes() if is_made(node, "function", "generator_function") and len(node.arguments) == 4)


def digests_in(state: SavedState) -> set[str]:
    """Of the functions that frames and variables of a state are of, those of the standard library aside."""
    found = {frame.digest for frame in state.frames if not frame.is_library}
    return found | {str(node.arguments[2]) for node in _functions_in(state)}


def versions_in(state: SavedState) -> set[str]:
    """The versions of the program that parts of a state are pinned to."""
    modules = {frame.module for frame in state.frames} | {str(node.arguments[0]) for node in _functions_in(state)}
    return {split(module)[1] for module in modules} - {""}


def modules_named(state: SavedState) -> set[str]:
    """The modules of the functions that frames of a state are of, the standard library's aside."""
    return {split(frame.module)[0] for frame in state.frames if not frame.is_library}
