"""The module-level data of a program: of its script, of the marked modules that it imports, and what libraries note of its tasks.

Of an imported module only what keeps its identity belongs to the snapshot (see ``modules``), and names that its functions
rebind; its other objects are made by its own code. Libraries that are rewritten because a pattern names them keep their data,
except entries of their weak dictionaries whose keys are tasks of the instance, or its loop.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from ...aio.loop import InstanceLoop
from ...aio.task import DurableTask
from ...hook.code_table import PROGRAM, ModuleInfo
from ...hook.marker import source_is_marked
from ...log import logger
from .module_names import Names
from .modules import LOGGING, SIGNALS, Content, ScriptData, restore_contents, script_contents

_marked: dict[int, tuple[ModuleInfo, bool]] = {}


def _is_marked(module: ModuleInfo) -> bool:
    known = _marked.get(id(module))
    if known is None:
        known = _marked[id(module)] = module, source_is_marked(module.source)
    return known[1]


def find_imported(script: ScriptData) -> None:
    """Note the marked modules that the program has imported by now."""
    for name, module in list(PROGRAM.items()):
        if name != script.module and name not in script.imported and name in sys.modules and _is_marked(module):
            script.imported[name] = ScriptData.of(name)
            script.imported[name].is_imported = True
            script.process_state.uses_also(script.imported[name].process_state)


def program_contents(script: ScriptData | None, loop: InstanceLoop | None, names: Names) -> dict[str, Content]:
    """What to save: names of the script's data as they are, those of an imported module behind ``module:``."""
    found: dict[str, Content] = {}
    if script is not None:
        found |= script_contents(script)
        for name, data in script.imported.items():
            found |= {f"{name}:{key}": content for key, content in script_contents(data).items()}
    if loop is not None:
        for key, notes, entries in _notes_of(loop, names):
            if script is None or key not in script.unsavable:
                found[key] = ("notes", notes, entries)
    return found


def _notes_of(loop: InstanceLoop, names: Names) -> Iterator[tuple[str, Any, list[tuple[Any, Any]]]]:
    """What weak dictionaries of rewritten modules hold about the instance: a name, the dictionary, the entries."""
    for module, name, value in names.notes():
        entries = list(value.items())
        yield f"{module}:tasks in {name}", value, [e for e in entries if type(e[0]) is DurableTask and e[0].loop is loop]
        yield f"{module}:loop in {name}", value, [e for e in entries if e[0] is loop]


def set_aside(script: ScriptData, failing: set[str]) -> None:
    """Leave data that cannot be saved to the modules' own code."""
    for key in failing:
        if key in (f"the {LOGGING}", f"the {SIGNALS}"):
            logger.warning(
                "what the program has set of %s cannot be saved, and is not set again after a restart: do so at module level", key
            )
        module, _, name = key.rpartition(":")
        owner = script.imported.get(module, script)
        owner.unsavable.add((name if owner is not script else key).removeprefix("class "))


def restore_program(script: ScriptData | None, contents: dict[str, Content]) -> None:
    """Give a program's data what they held; after the whole snapshot is loaded."""
    by_module: dict[str, dict[str, Content]] = {}
    for key, content in contents.items():
        if content[0] == "notes":
            content[1].update(content[2])
        elif script is not None:
            module, _, name = key.rpartition(":")
            by_module.setdefault(module or script.module, {})[name] = content
    for module, held in by_module.items():
        restore_contents(module, held)
