"""The module-level data of a program: of its script, of the marked modules that it imports, and what libraries note of its tasks.

Of an imported module only what keeps its identity belongs to the snapshot (see ``modules``), and names that its functions
rebind; its other objects are made by its own code. Of libraries that are rewritten because a pattern names them it is what has
changed since they were imported (see ``library_data``), and of all of them entries of weak dictionaries (``weak_data``).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from ...aio.loop import InstanceLoop
from ...aio.task import DurableTask
from ...hook.code_table import PROGRAM
from ...hook.companions import is_of_rewritten
from ...log import logger
from ...upgrades.renames import gone, missing_module
from .assigned import Assigned
from .by_name import data_today
from .changed import Changed
from .code_parts import functions_of
from .gone_data import bind_again
from .kept_objects import KEPT, KeptObjects
from .library_data import counters_in, find_libraries, first_fingerprints, has_changed, library_contents, line_of
from .mentions import names_in, returned_by
from .module_names import Names
from .modules import (
    BY_NAME,
    LOGGING,
    REFILLED,
    SETTING,
    SIGNALS,
    Content,
    ScriptData,
    data_of,
    is_marked,
    items_of,
    restore_contents,
    script_contents,
)
from .reached import Reached
from .unmarked import Unmarked
from .weak_data import WeakData, about_items, keyed_by_id_inside, with_objects


def find_imported(script: ScriptData, *, is_new: bool = False) -> None:
    """Note the modules that the program has imported by now. ``is_new``: whether it has not begun."""
    libraries = set()
    for name, module in list(PROGRAM.items()):
        if name == script.module or name not in sys.modules or (name in script.imported and name not in script.libraries):
            continue
        if not is_marked(module):
            if not is_of_rewritten(name) and name.partition(".")[0] not in sys.stdlib_module_names:
                libraries.add(name)  # the others' is the state of the process, or of tasks
            continue
        data = script.imported[name] = ScriptData.of(name)
        data.is_imported = True
        data.rebound |= counters_in(data.namespace())
        data.first = first_fingerprints(data) if is_new else {}
        script.process_state.uses_also(data.process_state)
        if script.kept is not None:
            script.kept.begin(name, data.namespace())
    find_libraries(script, libraries, is_new=is_new)
    if is_new and not script.first:
        script.first = first_fingerprints(script)
        script.kept = KeptObjects()
        script.kept.begin(script.module, script.namespace())
        if script.borrowed is not None:
            script.borrowed.begin(script.namespace(), script.used)
    for data in (script, *script.imported.values()):
        if data.assigned is None and data.module in sys.modules:
            data.assigned = Assigned(data.namespace(), data.paths)
            data.changed_elsewhere = Changed(data.module, data.namespace())
    if script.unmarked is None:
        script.unmarked = Unmarked()
    for module in script.unmarked.begin():
        _look_through(script, module)
    if is_new:
        script.process_state.settings.begin()
        _weak_of(script).begin(Names.of(script).notes())


def _look_through(script: ScriptData, module: ModuleType) -> None:
    """Note what the functions of a module that is not marked do with the process, and which containers they give away."""
    namespace = vars(module)
    functions = list(functions_of(module.__name__, namespace))
    names = names_in(functions)
    imported = frozenset(name for name in names if name not in namespace)
    script.process_state.uses_names(imported, names, namespace)
    if script.kept is not None:
        script.kept.begin(module.__name__, namespace)
    changed: Changed | None = script.changed_elsewhere
    containers = {name for name, value in list(namespace.items()) if type(value) in REFILLED}
    for function in functions if changed is not None else ():
        for name, line in returned_by(function) if not containers.isdisjoint(function.__code__.co_names) else ():
            if name in containers and changed is not None:
                changed.add((module.__name__, name), f"{module.__file__}:{line}")


def program_contents(script: ScriptData | None, loop: InstanceLoop | None, names: Names) -> dict[str, Content]:
    """What to save: names of the script's data as they are, those of an imported module behind ``module:``."""
    found: dict[str, Content] = {}
    if script is not None:
        found |= script_contents(script)
        for name, data in script.imported.items():
            contents = script_contents(data) if data.changed is None else library_contents(data)
            found |= {f"{name}:{key}": content for key, content in contents.items()}
        for data in (script, *script.imported.values()):
            if data.assigned is not None and data.paths:
                found |= {key: content for key, content in data.assigned.contents() if key not in script.unsavable}
            if data.changed_elsewhere is not None and data.changed_elsewhere.lines:
                changed = data.changed_elsewhere.contents()
                contents = {f"changed {module}.{name}": ("changed", value, items_of(value)) for (module, name), value in changed}
                found |= {key: content for key, content in contents.items() if key not in script.unsavable}
        for data in (script, *script.imported.values()):
            for place in data.changed_elsewhere.others if data.changed_elsewhere is not None else ():
                script.unmarked.meets(*place)
        found |= {key: content for key, content in script.unmarked.contents() if key not in script.unsavable}
        if script.kept is not None:
            found |= {key: content for key, content in script.kept.contents() if key not in script.unsavable}
        if script.unmarked.is_due():
            script.unmarked.look(partial(_is_saved, script, names))
        weak = _weak_of(script)
        for key, content in found.items():
            if key not in weak.told and keyed_by_id_inside(content, weak.reached):
                weak.told.add(key)
                _tell_of_ids(script, key)
        found = {key: with_objects(content, weak.reached) for key, content in found.items()}
    if loop is not None:
        for key, content in _notes_of(script, loop, names):
            if script is None or key not in script.unsavable:
                found[key] = content
    return found


def reached_by(script: ScriptData | None) -> Reached | None:
    """What is known of the objects that snapshots hold."""
    return _weak_of(script).reached if script is not None else None


def _weak_of(script: ScriptData) -> WeakData:
    if script.weak is None:
        script.weak = WeakData()
    weak: WeakData = script.weak
    return weak


def _notes_of(script: ScriptData | None, loop: InstanceLoop, names: Names) -> Iterator[tuple[str, Content]]:
    """What weak dictionaries of rewritten modules hold about the instance, and about what else the program has; by name."""

    def is_of_instance(about: Any) -> bool:
        return type(about) is DurableTask or about is loop

    for module, name, value in names.notes():
        if type(value) is WeakKeyDictionary:
            entries = list(value.items())
            tasks = [e for e in entries if type(e[0]) is DurableTask and e[0].loop is loop]
            yield f"tasks in {module}.{name}", ("notes", value, tasks)
            yield f"loop in {module}.{name}", ("notes", value, [e for e in entries if e[0] is loop])
        if script is not None and id(value) in names.by_id and not is_of_rewritten(module):
            content = _weak_of(script).content(value, is_of_instance)
            if content is not None:
                yield f"entries of {module}.{name}", content


def is_about_tasks(key: str) -> bool:
    """Whether a content is what a library holds about the tasks of the instance, or its loop."""
    return key.startswith(("tasks in ", "loop in "))


class SetAside:
    """What was left to the modules' own code. ``told``: what is to be said of it, if it stays so."""

    def __init__(self, script: ScriptData) -> None:
        self._unsavable = [(data, set(data.unsavable)) for data in (script, *script.imported.values())]
        self._weak = _weak_of(script)
        self._passed_over = self._weak.passed_over()
        self.told: list[tuple[str, tuple[Any, ...]]] = []

    def undo(self) -> None:
        """It belongs to the next snapshot again."""
        for data, before in self._unsavable:
            data.unsavable.clear()
            data.unsavable.update(before)
        self._weak.pass_over_only(self._passed_over)

    def tell(self) -> None:
        """Say what is not there after a restart."""
        for text, arguments in self.told:
            logger.warning(text, *arguments)


def set_aside(script: ScriptData, failing: dict[str, tuple[Content, Exception]], can_be_saved: Callable[[Any], bool]) -> SetAside:
    """Leave data that cannot be saved to the modules' own code; those are told which that does not make as they are."""
    aside = SetAside(script)
    for key, (content, error) in failing.items():
        if content[0] in (LOGGING, SIGNALS, SETTING):
            text = "what the program has set of %s cannot be saved, and is not set again after a restart: do so at module level"
            aside.told.append((text, (key,)))
        if content[0] == "notes":
            aside.told.append(_pass_over(script, key, content, error, can_be_saved))
            continue
        if content[0] == "set":
            script.unsavable.add(key)
            places = [data.assigned.places for data in (script, *script.imported.values()) if data.assigned is not None]
            place = next(found[key] for found in places if key in found)
            module, name = content[1]
            aside.told.append(_about_lost(module, name, error, place))
            continue
        if key.startswith(("changed ", f"{KEPT} ")):
            script.unsavable.add(key)
            module, _, name = key.partition(" ")[2].rpartition(".")
            aside.told.append(_about_lost(module, name, error, _line_changing(script, (module, name))))
            continue
        module, _, name = key.rpartition(":")
        owner = script.imported.get(module, script)
        name = (name if owner is not script else key).removeprefix("class ")
        owner.unsavable.add(name)
        if owner.changed is not None or has_changed(owner, name):
            aside.told.append(_about_lost(owner.module, name, error))
    return aside


def _is_saved(script: ScriptData, names: Names, module: str, name: str) -> bool:
    """Whether data of a module that is not marked belong to the state: the program itself sets them, or changes them."""
    for data in (script, *script.imported.values()):
        if data.assigned is not None and (data.assigned.knows(module, name) or data.changed_elsewhere.knows(module, name)):
            return True
        if data.borrowed is not None and data.borrowed.knows(module, name):
            return True
    return script.unmarked.is_met(module, name) or id(vars(sys.modules[module]).get(name)) in names.container_ids


def _line_changing(script: ScriptData, place: tuple[str, str]) -> str:
    all_changed = [data.changed_elsewhere for data in (script, *script.imported.values()) if data.changed_elsewhere is not None]
    return next((changed.line_of(place) for changed in all_changed if changed.knows(*place)), "")


def _pass_over(
    script: ScriptData, key: str, content: Content, error: Exception, can_be_saved: Callable[[Any], bool]
) -> tuple[str, tuple[Any, ...]]:
    """Leave out the entries of a weak dictionary that cannot be saved."""
    kind, _, place = key.rpartition(" ")
    lost = [about for about, rest in about_items(content[1], content[2]) if not can_be_saved((about, rest))]
    if kind != "entries of" or not lost:
        script.unsavable.add(key)
    for about in lost:
        _weak_of(script).pass_over(about)
    module, _, name = place.rpartition(".")
    return _about_lost(module, name, error)


def _tell_of_ids(script: ScriptData, key: str) -> None:
    module, _, name = key.rpartition(":")
    module = module or script.module
    logger.warning(
        "%s: a dictionary in %s of module %s has ids of objects as keys: after a restart these objects have other ids. "
        "Use the objects as keys (weakref.WeakKeyDictionary), or let the dictionary be a variable of the module",
        _place_of(module, name),
        name,
        module,
    )


def _place_of(module: str, name: str) -> str:
    info = PROGRAM.get(module)
    return f"{info.path}:{line_of(info, name)}" if info is not None else module


def _about_lost(module: str, name: str, error: Exception, place: str = "") -> tuple[str, tuple[Any, ...]]:
    text = (
        "%s: what the program has put into %s of module %s cannot be saved (%s: %s), and is not there after a restart. "
        "Give its type a way to be pickled, or let code that runs when the module is imported make it"
    )
    return text, (place or _place_of(module, name), name, module, type(error).__name__, error)


def _import(module: str) -> None:
    """Raises MissingCodeError."""
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        if missing_module(module, error):
            raise gone(module, "", error) from error
        raise


def _tell_of_gone(script: ScriptData, module: str, held: dict[str, Content]) -> None:
    """Log which data belong to names that a module does not have today, and does not mention."""
    data = data_of(script, module)
    if data is None or data.changed is not None:
        return
    for name, (how, _, _) in held.items():
        if how in BY_NAME and name.isidentifier() and name not in data.namespace() and name not in data.used:
            text = (
                "%s: the saved state has what was in %s of module %s, which has nothing of that name today. If it is called "
                'something else, say so at module level before instances are resumed: durable_import.renamed("%s:%s", "%s:NAME")'
            )
            logger.warning(text, _place_of(module, name), name, module, module, name, module)


def restore_program(script: ScriptData | None, contents: dict[str, Content], versions: Collection[str] = ()) -> None:
    """Give a program's data what they held; after the whole snapshot is loaded. ``versions``: in which frames of it go on."""
    by_module: dict[str, dict[str, Content]] = {}
    notes = [content for content in contents.values() if content[0] == "notes"]
    if script is not None:
        for key, content in contents.items():
            if content[0] != "notes":
                module, _, name = key.rpartition(":")
                module, name = data_today(module or script.module, name)
                by_module.setdefault(module, {})[name] = content
        for module in by_module:
            _import(module)
        find_imported(script, is_new=True)  # before they are what they are not by themselves
        for data in (script, *script.imported.values()) if versions else ():
            bind_again(script, data.module, by_module.get(data.module, {}), versions)
        for module, held in by_module.items():
            _tell_of_gone(script, module, held)
    for module, held in by_module.items():
        restore_contents(module, held)
        if script is not None and module in script.libraries:
            for name in held:
                script.libraries[module].has_changed(name.removeprefix("class "))
    for _, target, entries in notes:
        target.update(entries)
