"""Objects of modules that are not rewritten which are saved by reference, because a copy would not be the same thing.

- Instances at module level of a standard library module that also defines their class: ``os.environ``,
  ``sys.version_info``, the main thread, ``random``'s hidden generator. Modules are searched when a class is first met.
- Bare ``object()`` sentinels at module level of any module.
"""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, BuiltinMethodType, FunctionType, ModuleType
from typing import Any

from durable_import.snapshot.reducers.context_variables import named_variable

Reducer = Callable[[Any], Any]
_NOT_SINGLETONS = (type, enum.Enum, ModuleType, FunctionType, BuiltinFunctionType, BuiltinMethodType)


def by_reference(cls: type, otherwise: Reducer | None) -> Reducer | None:
    """``otherwise``, preceded by the look at the module's own instances of ``cls``, if it has any."""
    module = cls.__module__
    if not isinstance(module, str) or module.partition(".")[0] not in sys.stdlib_module_names or module == "__main__":
        return otherwise
    if issubclass(cls, _NOT_SINGLETONS):
        return otherwise
    names = [name for name, value in list(vars(sys.modules.get(module, sys)).items()) if type(value) is cls]
    if not names:
        return otherwise

    def reduce_singleton(obj: Any) -> Any:
        for name in names:
            if getattr(sys.modules.get(module), name, None) is obj:
                return named_variable, (module, name)
        return NotImplemented if otherwise is None else otherwise(obj)

    return reduce_singleton


class _Sentinels:
    """Where the bare objects at module level are; looked up again when modules were imported since."""

    def __init__(self) -> None:
        self.places: dict[int, tuple[str, str]] = {}
        self.modules = 0

    def place(self, obj: object) -> tuple[str, str] | None:
        """Module and name of ``obj``, or None."""
        if self.modules != len(sys.modules):
            self.modules = len(sys.modules)
            self.places = dict(self._found())
        place = self.places.get(id(obj))
        if place is None or getattr(sys.modules.get(place[0]), place[1], None) is not obj:
            return None
        return place

    @staticmethod
    def _found() -> Any:
        for module, contents in list(sys.modules.items()):
            names = getattr(contents, "__dict__", None)
            if isinstance(names, dict):
                for name, value in list(names.items()):
                    if type(value) is object:
                        yield id(value), (module, name)


_SENTINELS = _Sentinels()


def _reduce_object(obj: object) -> Any:
    place = _SENTINELS.place(obj)
    return NotImplemented if place is None else (named_variable, place)


TABLE: dict[type, Reducer] = {object: _reduce_object}
