"""Data of the state whose names today's modules do not have, where code of then goes on that may need them.

They are bound again under their names. An object that kept its identity is made empty as the old text says, and filled then.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ...errors import MissingCodeError, SnapshotError
from ...frames.lookup import MISSING
from ...upgrades.kept import VersionAsked
from ..load_context import current
from .mentions import mentions_in
from .modules import BY_NAME, REFILLED, Content, ScriptData, data_of

if TYPE_CHECKING:
    from ...upgrades.versions import Version


def object_then(module: str, name: str, error: SnapshotError | None = None) -> Any:
    """What code of then that goes on finds under a name that is gone today; MISSING if there is nothing.

    ``error``: what is wrong if there is nothing; then VersionAsked is raised as long as the versions are not known.
    """
    kept = current().kept_texts
    if kept is None:
        return MISSING
    if not kept.version and error is not None:
        raise VersionAsked(error)
    return next((found for each in kept.versions if (found := _made(each, module, name)) is not MISSING), MISSING)


def bind_again(script: ScriptData, module: str, held: dict[str, Content], versions: Collection[str]) -> None:
    """Let a module have what it held under names that are gone today, and have what code of then uses belong to the snapshot."""
    data = data_of(script, module)
    if data is None or not versions:
        return
    if data.changed is None:  # of a library it is what has changed
        for known in map(_known, versions):
            known.module(module)  # from now on its functions are known
            data.used |= known.bound.get(module, set())
    found = mentions_in(module)  # in that of then too
    data.used |= found.used | found.rebound
    data.rebound |= found.rebound
    namespace = data.namespace()
    for name, (how, target, saved) in list(held.items()):
        if how not in BY_NAME or not name.isidentifier() or name in namespace:
            continue
        if target is None and how != "value":
            target = next((made for each in versions if (made := _made(each, module, name)) is not MISSING), None)
        if target is None and how != "value":
            continue
        held[name] = how, target, saved
        namespace[name] = target
        data.used |= {name}


def _known(version: str) -> Version:
    from ...upgrades.versions import known_version  # rarely needed

    return known_version(version)


def _made(version: str, module: str, name: str) -> Any:
    """An object that the old text of a module makes, made once; MISSING if that cannot be had without running it."""
    from ...upgrades.bindings import bindings
    from ...upgrades.then import then

    known = _known(version)
    if name not in known.bound.get(module, ()):
        return MISSING
    if (module, name) not in known.made:
        node = next(bindings(known.trees[module].body, name), None)
        made = _empty(version, module, node) if isinstance(node, ast.Call) else MISSING
        if made is not MISSING:
            known.made[module, name] = made
    try:
        return then(version, module, name)
    except MissingCodeError:
        return MISSING


def _empty(version: str, module: str, node: ast.Call) -> Any:
    """What a call of a class makes, as long as nothing is in it."""
    made = _named(version, module, node.func)
    if made in REFILLED:
        arguments = [_named(version, module, each) for each in node.args] if made.__name__ == "defaultdict" else []
        return MISSING if MISSING in arguments else made(*arguments[:1])
    if not isinstance(made, type) or any("__new__" in vars(base) for base in made.__mro__[:-1]):
        return MISSING
    return object.__new__(made)


def _named(version: str, module: str, node: ast.expr) -> Any:
    from ...upgrades.then import then

    if isinstance(node, ast.Attribute):
        return getattr(_named(version, module, node.value), node.attr, MISSING)
    if not isinstance(node, ast.Name):
        return MISSING
    if node.id in _known(version).bound.get(module, ()):
        try:
            return then(version, module, node.id)
        except MissingCodeError:
            return MISSING
    return getattr(builtins, node.id, MISSING)
