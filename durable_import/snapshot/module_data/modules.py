"""Module-level objects: how a name leads to one; and the data of a script, which belongs to its snapshot.

A script's data are the module-level names that its functions use. What can be refilled (list, dict, set, bytearray,
deque, plain instances of its own classes) keeps its identity: the object made when the module ran again is found by name
and gets the saved contents. Other data is rebound. What cannot be saved (clients, pools, locks in use) stays as it was
made when the module ran.
"""

from __future__ import annotations

import importlib
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from ...hook.code_table import MODULES, PROGRAM, ModuleInfo
from ...hook.marker import source_is_marked
from ...pythons.modules import is_lazy
from ...pythons.tasks import LoopBound
from ..reducers.primitives import bound_state, fill_bound
from .assigned import Assigned, Path, set_again
from .borrowed import Borrowed, content_of_fillable, is_fillable
from .closures import Cell, captured_cells
from .code_parts import Extent, classes_of, descriptors, functions_in, is_default, is_made_by, parts_of_code
from .kept_objects import KEPT, put_again
from .logging_state import restore_logging
from .mentions import mentions_in
from .plain_classes import is_plain_class
from .process_settings import restore_setting
from .process_state import ProcessState, find_first, restore_changes
from .signal_state import restore_signals

ATOMS = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis), type(NotImplemented), range)
CONTAINERS = (list, dict, set, bytearray)
REFILLED = (list, dict, set, bytearray, deque, defaultdict, OrderedDict, Counter)
NEVER_DATA = (ModuleType, FunctionType, BuiltinFunctionType)


@dataclass
class ScriptData:
    """Which names of a script are data, and which of them turned out not to be savable."""

    module: str
    used: frozenset[str]
    rebound: frozenset[str]
    unsavable: set[str] = field(default_factory=set)
    process_state: ProcessState = field(default_factory=ProcessState)
    imported: dict[str, ScriptData] = field(default_factory=dict)  # of the marked modules that the script has imported
    is_imported: bool = False  # whether it is one of those
    libraries: dict[str, Any] = field(default_factory=dict)  # see ``library_data``
    changed: set[str] | None = None  # of a library: the names whose objects belong to the snapshot, and no others
    first: dict[str, int] = field(default_factory=dict)  # what its names held at first: see ``fingerprints``
    weak: Any = None  # see ``weak_data.WeakData``
    cells: tuple[Extent, list[Cell]] | None = None
    paths: dict[Path, str] = field(default_factory=dict)  # what it sets behind names of modules, and where
    assigned: Assigned | None = None  # what that was at first
    changed_elsewhere: Any = None  # see ``changed.Changed``
    unmarked: Any = None  # see ``unmarked.Unmarked``
    kept: Any = None  # see ``kept_objects.KeptObjects``
    names: Any = None  # see ``module_names.Names``
    borrowed: Borrowed | None = None

    @classmethod
    def of(cls, module: str) -> ScriptData:
        """Look through the functions of a script."""
        found = mentions_in(module)
        script = cls(module, found.used | found.rebound, found.rebound)
        script.paths = dict(found.paths)
        namespace = script.namespace()
        info = PROGRAM.get(module)
        if info is not None:
            script.borrowed = Borrowed(info.source, namespace.get("__package__"), _is_of_program)
        script.process_state.uses_names(found.imported, found.attributes | script.used, namespace)
        return script

    def namespace(self) -> dict[str, Any]:
        """The script's module-level names."""
        return sys.modules[self.module].__dict__

    def handed(self) -> frozenset[str]:
        """The names of objects that its code outside of functions speaks of: see ``borrowed``."""
        return self.borrowed.handed if self.borrowed is not None else frozenset()

    def version(self) -> tuple[int, ...]:
        """Another one when other names are saved by value."""
        return len(self.unsavable), len(self.rebound), len(self.changed or ())

    def captured_cells(self) -> list[Cell]:
        """See ``closures``; looked for again only when the script has got more names. None of a library."""
        if self.changed is not None:
            return []
        namespace = self.namespace()
        if self.cells is None or not self.cells[0].is_of(namespace):
            found = list(captured_cells(self.module, namespace, _rebound_in))
            self.cells = Extent(namespace), found
        return self.cells[1]


_marked: dict[int, tuple[ModuleInfo, bool]] = {}


def is_marked(module: ModuleInfo) -> bool:
    """Whether a module is rewritten because of its first comment."""
    known = _marked.get(id(module))
    if known is None:
        known = _marked[id(module)] = module, source_is_marked(module.source)
    return known[1]


def _is_of_program(module: str) -> bool:
    """Whether a module's own data belong to the snapshot."""
    info = PROGRAM.get(module)
    return info is not None and is_marked(info)


def _rebound_in(module: str) -> frozenset[tuple[str, str]] | None:
    """The captured variables that functions of a marked module rebind; None of others."""
    return mentions_in(module).captured if _is_of_program(module) else None


def data_of(script: ScriptData | None, module: str) -> ScriptData | None:
    """The data of a module that belong to the snapshot, if they do."""
    if script is None or script.module == module:
        return script
    return script.imported.get(module)


def is_saved_by_value(script: ScriptData, name: str, value: Any) -> bool:
    if name in script.rebound and name not in script.unsavable:
        return True  # the module's own code need not have made it
    if script.is_imported or name not in script.used or name in script.unsavable:
        return False
    if isinstance(value, NEVER_DATA) or type(value) is object or is_borrowed(script, name, value):
        return False
    return not keeps_identity(value)


def is_borrowed(script: ScriptData, name: str, value: Any) -> bool:
    """Whether it is an object of another module, or a method of one: see ``borrowed``."""
    borrowed = script.borrowed
    if borrowed is None or isinstance(value, (*NEVER_DATA, type)) or not borrowed.has(name, value):
        return False
    return isinstance(value, MethodType) or is_fillable(value)


def is_refilled(script: ScriptData | None, module: str, name: str, value: Any) -> bool:
    """Whether an object that is saved by reference gets its contents back from the snapshot."""
    data = data_of(script, module)
    if data is None or name in data.rebound or name in data.unsavable:
        return False
    if not keeps_identity(value):
        return not data.is_imported and is_fillable(value) and is_borrowed(data, name, value)
    if data.changed is not None:
        return name in data.changed
    return data.is_imported or name in data.used or name in data.handed()


def keeps_identity(value: Any) -> bool:
    return type(value) in REFILLED or isinstance(value, LoopBound) or is_plain_instance(value)


def is_plain_instance(value: Any) -> bool:
    """An instance of a rewritten module's class that is saved and restored by its attributes alone.

    Bases of other modules may have registered it somewhere, as logging does its handlers: so it has to stay what it is.
    """
    cls = type(value)
    if getattr(cls, "__module__", None) not in MODULES:
        return False
    known = _plain_classes.get(cls)
    if known is None:
        known = _plain_classes[cls] = is_plain_class(cls)
    return known


_plain_classes: WeakKeyDictionary[type, bool] = WeakKeyDictionary()


# --- a script's data

LOGGING, SIGNALS, SETTING = "logging", "signals", "setting"  # of the process, and saved each by itself
BY_NAME = ("attributes", "primitive", "refill", "refill by id", "value")  # how what a module has under a name is restored
Content = tuple[str, Any, Any]  # how to restore, the object or its type, what it holds


def script_contents(script: ScriptData) -> dict[str, Content]:
    """What to save of a script's data, by name."""
    namespace = script.namespace()
    contents: dict[str, Content] = {}
    for name in list(namespace) if script.is_imported else script.used | script.handed():
        if name in script.unsavable or name.startswith("__"):
            continue
        if name not in namespace:
            if name in script.rebound:
                contents[name] = ("unbound", None, None)
            continue
        if is_lazy(namespace[name]):
            continue  # nobody has used it yet
        if script.is_imported and name not in script.rebound and not keeps_identity(namespace[name]):
            continue  # other modules may use it under another name: it stays as the module's own code has made it
        content = _content_in_script(script, name, namespace[name])
        if content is not None:
            contents[name] = content
    for path, cls in classes_of(script.module, namespace):
        if path not in script.unsavable:
            contents |= _class_contents(script, path, cls)
    for name, value in namespace.items():
        if is_made_by(script.module, value) and value.__dict__ and name not in script.unsavable:
            contents |= _attributes_as_contents(script, "function", name, value, _function_data(value))
    for path, part in parts_of_code(script.module, namespace).items():
        if type(part) in CONTAINERS and f"default {path}" not in script.unsavable:
            contents[f"default {path}"] = ("refill", part, items_of(part))
        elif is_default(path) and is_fillable(part) and f"default {path}" not in script.unsavable:
            contents[f"default {path}"] = content_of_fillable(part)
        elif type(part) is FunctionType and part.__dict__:
            contents |= _attributes_as_contents(script, "function", path, part, _function_data(part))
    if not script.is_imported:
        contents |= _process_contents(script)
    for path, cell, is_rebound in script.captured_cells():
        content = cell.cell_contents
        is_data = type(content) not in ATOMS and not isinstance(content, (*NEVER_DATA, type))
        if path not in script.unsavable and (is_rebound or is_data):
            contents[path] = ("cell", cell, content)
    return contents


def _content_in_script(script: ScriptData, name: str, value: Any) -> Content | None:
    if name in script.rebound or keeps_identity(value):
        return content_of(value, rebound=name in script.rebound)
    if script.borrowed is not None and is_borrowed(script, name, value):
        return script.borrowed.content(name, value)
    return content_of(value, rebound=False) if name in script.used else None


def _class_contents(script: ScriptData, path: str, cls: type) -> dict[str, Content]:
    contents = _attributes_as_contents(script, "class", path, cls, _class_data(cls))
    for attribute, descriptor in descriptors(cls):
        key = f"attribute {path}.{attribute}"
        if is_plain_instance(descriptor) and key not in script.unsavable:
            contents[key] = ("attributes", descriptor, descriptor.__getstate__())
    for name, function in functions_in(cls):
        if function.__dict__ and (function.__module__, function.__qualname__) == (cls.__module__, f"{cls.__qualname__}.{name}"):
            contents |= _attributes_as_contents(script, "function", f"{path}.{name}", function, _function_data(function))
    return contents


def _process_contents(script: ScriptData) -> dict[str, Content]:
    state = script.process_state
    found = {"process": state.changes(), LOGGING: state.logging.changes(), SIGNALS: state.signals.changes()}
    kept: dict[str, Content] = {f"the {how}": (how, None, changes) for how, changes in found.items() if changes}
    settings = state.settings.changes()
    if settings:
        kept |= {f"the {name}": (SETTING, name, value) for name, value in settings.items()}
    kept = {name: content for name, content in kept.items() if name not in script.unsavable}
    find_first(state, kept)
    return kept


def content_of(value: Any, *, rebound: bool) -> Content | None:
    kind = type(value)
    if rebound:
        return "value", None, value
    if isinstance(value, (*NEVER_DATA, type)) or kind in ATOMS or kind is object:
        return None
    if kind in REFILLED:
        return ("refill", value, items_of(value))
    if isinstance(value, LoopBound):
        return ("primitive", value, bound_state(value))
    if is_plain_instance(value):
        return ("attributes", value, value.__getstate__())
    return ("value", None, value)


def _attributes_as_contents(
    script: ScriptData, kind: str, name: str, owner: Any, attributes: dict[str, Any]
) -> dict[str, Content]:
    """Each attribute by itself, so that one that cannot be saved takes no other with it."""
    contents = {f"{kind} {name}.{key}": (kind, owner, {key: item}) for key, item in attributes.items()}
    return {path: content for path, content in contents.items() if path.removeprefix("class ") not in script.unsavable}


def items_of(value: Any) -> list[Any]:
    """What a container holds, from which it can be filled."""
    return list(value.items()) if isinstance(value, dict) else list(value)


def _class_data(cls: type) -> dict[str, Any]:
    """The attributes of a class that are data: counters, registries, the last instance."""
    if issubclass(cls, Enum):
        return {}
    found = {}
    for name, value in cls.__dict__.items():
        kind = type(value)
        if name.startswith("__") or name == "_abc_impl" or hasattr(kind, "__get__"):
            continue
        if not isinstance(value, (*NEVER_DATA, type)):
            found[name] = class_content(value)
    return found


def class_content(value: Any) -> tuple[str, Any]:
    """What is saved of an attribute of a class."""
    kind = type(value)
    return kind.__name__, items_of(value) if kind is dict else value


def _function_data(function: FunctionType) -> dict[str, Any]:
    """The attributes that the program has given a function: counters, caches, registrations."""
    return {key: item for key, item in function.__dict__.items() if key != "__wrapped__"}


def restore_contents(module: str, contents: dict[str, Content]) -> None:
    """Give a module's data what they held; after the whole snapshot is loaded."""
    namespace = importlib.import_module(module).__dict__
    for name, (how, target, saved) in contents.items():
        if how == "unbound":
            namespace.pop(name, None)
        elif how == "value":
            namespace[name] = saved
        elif how == "function":
            target.__dict__.update(saved)
        elif how == "process":
            restore_changes(saved)
        elif how == LOGGING:
            restore_logging(saved)
        elif how == SIGNALS:
            restore_signals(saved)
        elif how == SETTING:
            restore_setting(target, saved)
        elif how == "class":
            _restore_class(target, saved)
        elif how == KEPT:
            put_again(target, saved)
        elif how in ("set", "deleted"):
            set_again(how, target, saved)
        elif how in ("cell", "changed", "primitive", "state"):
            fill(how, target, saved)
        elif target is not None:  # else the module has nothing of that name today
            fill(how, target, _by_id(saved) if how == "refill by id" else saved)
            if not name.startswith(("default ", "attribute ")):
                namespace[name] = target


def fill(how: str, target: Any, saved: Any) -> None:
    """Put into an object what one like it held."""
    if how == "cell":
        target.cell_contents = saved
    elif how == "primitive":
        fill_bound(target, saved)
    elif how == "state":
        target.__setstate__(saved)
    else:
        _refill(target, saved)


def _by_id(marked: list[tuple[Any, Any, bool]]) -> list[tuple[Any, Any]]:
    """The items of a dictionary, with the ids that some keys have today."""
    return [(id(key) if is_id else key, value) for key, value, is_id in marked]


def _refill(target: Any, saved: Any) -> None:
    if isinstance(target, (list, bytearray)):
        target[:] = saved
    elif isinstance(target, dict):
        target.clear()
        target.update(dict(saved))  # a Counter would count pairs
    elif isinstance(target, set):
        target.clear()
        target.update(saved)
    elif isinstance(target, deque):
        target.clear()
        target.extend(saved)
    else:
        attributes, slots = saved if isinstance(saved, tuple) else (saved, None)
        if hasattr(target, "__dict__"):
            target.__dict__.clear()
            target.__dict__.update(attributes or {})
        for name, value in (slots or {}).items():
            object.__setattr__(target, name, value)


def _restore_class(cls: type, saved: dict[str, Any]) -> None:
    for name, (kind, value) in saved.items():
        present = cls.__dict__.get(name)
        if kind in ("dict", "dict by id"):
            value = dict(value if kind == "dict" else _by_id(value))
        if type(present) is type(value) and type(value) in (list, dict, set, deque):
            _refill(present, value)
        elif present is not value:
            setattr(cls, name, value)
