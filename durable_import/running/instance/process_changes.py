"""Says where an instance in an application sets what belongs to the process: it is the application's, and not made again.

Found in the code of the functions that an instance is seen in, once for each, so that nothing is paid for it when they run.
"""

from __future__ import annotations

import dis
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from ...hook.code_table import CodeInfo
from ...log import about, logger

#: What is called, by module and name, and what it sets.
_SETTERS = {
    ("logging", "basicConfig"): "logging",
    ("logging", "captureWarnings"): "logging",
    ("logging", "disable"): "logging",
    ("logging.config", "dictConfig"): "logging",
    ("logging.config", "fileConfig"): "logging",
    ("nest_asyncio", "apply"): "how event loops run within one another",
    ("os", "chdir"): "the current folder",
    ("os", "putenv"): "an environment variable",
    ("os", "unsetenv"): "an environment variable",
    ("signal", "signal"): "the handler of a signal",
}
_METHODS = ("addHandler", "removeHandler")  # of loggers, by which functions that use logging are known to set it up
_CHANGES = ("STORE_SUBSCR", "DELETE_SUBSCR")
_seen: set[str] = set()  # digests of functions


def tell_of_process_changes(functions: Iterable[CodeInfo], instance_id: str) -> None:
    """Log where functions, of which an instance has frames, set what belongs to the process."""
    for info in functions:
        if info.digest in _seen:
            continue
        _seen.add(info.digest)
        for line, what in sorted(set(_changes_in(info))):
            logger.warning(
                "%s:%s, in %s: instance %s sets %s, which belongs to the application and is not part of the instance: after a "
                "restart it is not set again. Set it where the application begins",
                info.module.path,
                line,
                info.place,
                instance_id,
                what,
                extra=about(instance_id),
            )


def _changes_in(info: CodeInfo) -> Iterator[tuple[int, str]]:
    module = sys.modules.get(info.module.name)
    namespace = vars(module) if module is not None else {}
    setters = _setters()
    instructions = list(dis.get_instructions(info.code))
    held: Any = None  # what the names so far lead to
    for number, each in enumerate(instructions):
        if each.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            held = namespace.get(each.argval)
        elif each.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            held = getattr(held, each.argval, None) if held is not None else None
            if each.argval in _METHODS:
                yield _line_of(instructions, number), "logging"
        elif each.opname != "CACHE":
            held = None
        what = setters.get(id(held))
        if what is not None and held is not None:
            yield _line_of(instructions, number), what
        elif held is os.environ and any(later.opname in _CHANGES for later in instructions[number + 1 : number + 4]):
            yield _line_of(instructions, number), "an environment variable"


def _line_of(instructions: list[dis.Instruction], number: int) -> int:
    position = instructions[number].positions
    return (position.lineno if position is not None else None) or 0


def _setters() -> dict[int, str]:
    """By id of the function, of the modules that are imported."""
    found = {}
    for (module, name), what in _SETTERS.items():
        function = getattr(sys.modules.get(module), name, None)
        if function is not None:
            found[id(function)] = what
    return found
