"""What the text of a function would be if names in it were those of before: see ``new_names``."""

from __future__ import annotations

import ast
import copy
from functools import lru_cache

from ..hook.code_table import CodeInfo
from ..pythons.codes import nested_codes, silent
from ..pythons.instructions import variables_of
from ..rewrite.analysis.places import Places
from ..rewrite.analysis.places import digest as digest_of
from ..rewrite.analysis.text import Text
from ..rewrite.passes.pauses import EXCEPTION, mark_pauses
from ..upgrades.renames import Renaming


def digest_with(info: CodeInfo, names: dict[str, str]) -> str:
    """The digest that a function would have if some names in it were others; its variables are what they are."""
    node = _places(info.module.source).by_path.get(info.place)
    if node is None:
        return ""
    variables = {name for code in (info.code, *nested_codes(info.code)) for name in variables_of(code)}
    return digest_of(Renaming({new: old for new, old in names.items() if new not in variables}).visit(copy.deepcopy(node)))


@lru_cache(maxsize=4)
def _places(source: bytes) -> Places:
    """The functions of a module as they are written."""
    with silent():
        tree = ast.parse(source)
    if Text(source).may_say(EXCEPTION):
        mark_pauses(tree)
    return Places(tree)
