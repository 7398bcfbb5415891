"""Cells of IPython and of notebooks: a marked one is told of.

What is defined in a cell is in no file: the process that resumes an instance would have neither the code nor a place to look for
it. So cells are not rewritten. They import marked modules, run instances of their functions and await them.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

from .marker import source_is_marked

_EVENT = "pre_run_cell"


def watch_cells() -> None:
    """Warn of each marked cell from the current one on, if there are cells here."""
    shell = _shell()
    if shell is not None and _before_cell not in shell.events.callbacks[_EVENT]:
        shell.events.register(_EVENT, _before_cell)
        cells = shell.user_ns.get("In", [""])
        _tell(cells[-1], len(cells) - 1)


def leave_cells() -> None:
    """Warn no more."""
    shell = _shell()
    if shell is not None and _before_cell in shell.events.callbacks[_EVENT]:
        shell.events.unregister(_EVENT, _before_cell)


def _shell() -> Any:
    """IPython's shell, if this process is one."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def _before_cell(info: Any) -> None:
    _tell(info.raw_cell, _shell().execution_count)


def _tell(source: str, number: int) -> None:
    if source_is_marked(source.encode("utf-8", "surrogatepass")):
        warnings.warn_explicit(
            "this cell is marked `# durable: on`, and not durable: what is defined in a cell is in no file, where a later "
            "process could find it. Put it into a module that begins with the mark, imported after durable_import.install()",
            RuntimeWarning,
            f"cell {number}",
            1,
        )
