"""What the code of an earlier version reaches while it runs, found when it is reached.

A function of today that has a namesake in the version stands for that one: called by its name, through a module, as a method or
property, or held in a variable, a container, a partial. Of a decorated function the wrapper is today's, around the function of
then. Classes, data, and functions that the version does not have are today's.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from ..errors import MissingCodeError
from ..frames.lookup import MISSING, in_class
from ..hook.code_table import ITERABLE_COROUTINE, CodeInfo, import_needed, info_of, iterable_coroutine
from ..pythons.annotations import copy_annotations
from ..pythons.codes import nested_codes
from ..rewrite.analysis.places import without_number
from ..rewrite.analysis.relative_paths import absolute
from ..rewrite.analysis.scopes import default_expressions
from .bindings import bindings, with_new_names
from .moving import today_of
from .pinning import FUNCTIONS, NAMED, OWN, READ, THEN, passed_on
from .policies import is_never_pinned
from .renames import new_module, new_place, said
from .versions import PinnedModule, Version, known_version, stars_in

NESTED = ".<locals>."
BUILT_IN_DECORATORS = ("staticmethod", "classmethod", "property")
GIVEN = ("__name__", "__package__", "__spec__")  # of a module, to an import in it
CONTAINERS = (list, dict, set, bytearray, deque, defaultdict, OrderedDict, Counter)


def own(version: str, value: Any) -> Any:
    """What a value that is called or passed on is in the version."""
    kind = type(value)
    if kind is FunctionType:
        return _function(known_version(version), value)
    if kind is MethodType:
        function = own(version, value.__func__)
        return value if function is value.__func__ else MethodType(function, value.__self__)
    if kind is functools.partial:
        parts = [own(version, each) for each in (value.func, *value.args)]
        if all(one is other for one, other in zip(parts, (value.func, *value.args), strict=True)):
            return value
        made = functools.partial(parts[0], *parts[1:], **value.keywords)
        made.__dict__.update(value.__dict__)
        return made
    return value


def own_operands(info: CodeInfo, label: int, variables: dict[str, Any]) -> None:
    """What a frame of the version had evaluated already to call it, or to pass it on, when it was not pinned yet."""
    place = info.suspensions[label]
    nodes = today_of(info).nodes
    passed = {id(node) for node in passed_on(nodes.values())}
    for name, role, path in place[2]:
        if role == "operand" and name in variables and id(nodes.get(absolute(path, place[0]))) in passed:
            variables[name] = own(info.module.version, variables[name])


def read(version: str, value: Any, name: str) -> Any:
    """``value.name`` where functions of the version have that name."""
    known = known_version(version)
    if isinstance(value, ModuleType):
        found = getattr(value, name, MISSING)
        if found is not MISSING or value.__name__ not in known.texts:
            return getattr(value, name) if found is MISSING else found
        return then(version, value.__name__, name)
    if isinstance(value, super):
        cls, this, instance = (getattr(value, each) for each in ("__self_class__", "__thisclass__", "__self__"))
        return _member(known, cls.__mro__[cls.__mro__.index(this) + 1 :], instance, value, name)
    if isinstance(value, type):
        return _member(known, value.__mro__, None, value, name)
    if name in getattr(value, "__dict__", ()) and not hasattr(type(in_class(type(value), name)), "__set__"):
        return getattr(value, name)
    return _member(known, type(value).__mro__, value, value, name)


def named(version: str, module: str, name: str) -> Any:
    """What is called or passed on by the name of a function, which no decorator had changed then."""
    known = known_version(version)
    value = known.namespace(module).get(name, MISSING)
    if isinstance(value, FunctionType):  # perhaps one that the program has put there
        return own(version, value)
    known_module = known.module(module)
    info = _namesake(known_module, name, None) if known_module is not None else None
    return own(version, value) if info is None else function_of(known, info)


def then(version: str, module: str, name: str) -> Any:
    """A module-level name that the old text has and today's module had not when it was looked at first."""
    known = known_version(version)
    namespace = known.namespace(module)
    if name in namespace:
        return namespace[name]
    if (module, name) not in known.made:
        known.made[module, name] = _bound(known, module, name)
    return known.made[module, name]


def _member(version: Version, order: tuple[type, ...], instance: Any, value: Any, name: str) -> Any:
    """An attribute by the order of classes: of each, what the old text of that class defines, or else what it has today."""
    for cls in order:
        info = _method(version, cls, name)
        if info is not None:
            bound = _bind(version, info, in_class(cls, name), instance, value)
            return getattr(value, name) if bound is MISSING else bound
        if name in cls.__dict__:
            break
    return getattr(value, name)


def _method(version: Version, cls: type, name: str) -> CodeInfo | None:
    """The method of then that a class of today has under a name; None if it had none, or is no class at module level."""
    today = cls.__dict__.get(name)
    known = version.of_members.get((cls, name))
    if known is None or known[0] is not today:
        known = version.of_members[cls, name] = today, _method_for(version, cls, name, _behind(today))
    return known[1]


def _method_for(version: Version, cls: type, name: str, today: FunctionType | None) -> CodeInfo | None:
    module = version.module(cls.__module__) if isinstance(cls.__module__, str) else None
    info = info_of(today.__code__) if today is not None else None
    if module is None or NESTED in cls.__qualname__ or (info is not None and is_never_pinned(info)):
        return None
    found = _namesake(module, f"{cls.__qualname__}.{name}", info)
    return found if found is not None and isinstance(module.node(found.place), FUNCTIONS) else None


def _namesake(module: PinnedModule, place: str, today: CodeInfo | None) -> CodeInfo | None:
    """The function of then at a place: among several of that name the one that says the same, or the last one."""
    among = module.namesakes.get(place, [])
    same = [info for info in among if today is not None and info.digest == today.digest]
    if len(same) == 1 or not among:
        return same[0] if same else None
    written = [info for info in among if not _is_accessor(module.node(info.place))]
    return (written or among)[-1]


def _is_accessor(node: Any) -> bool:
    """Whether a definition only gives a property of its name another setter or deleter."""
    decorators = getattr(node, "decorator_list", [])
    return any(isinstance(each, ast.Attribute) and each.attr in ("setter", "deleter") for each in decorators)


def _behind(value: Any) -> FunctionType | None:
    """The function that a method or property is made of."""
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    if isinstance(value, property):
        value = value.fget
    return value if isinstance(value, FunctionType) else None


def _bind(version: Version, info: CodeInfo, raw: Any, instance: Any, value: Any) -> Any:
    """A method or property of then, bound as its decorators say; MISSING if what it is bound to is today's wrapper.

    ``raw``: what the class has today.
    """
    assert isinstance(info.module, PinnedModule)
    decorators = info.module.decorators(info.place)
    if len(decorators) > 1 or (decorators and decorators[0] not in BUILT_IN_DECORATORS):
        wrapper = _function(version, raw) if isinstance(raw, FunctionType) else MISSING
        return wrapper if instance is None or not callable(wrapper) else MethodType(wrapper, instance)
    function = function_of(version, info, raw)
    kind = decorators[0] if decorators else ""
    if kind == "staticmethod":
        return function
    if kind == "classmethod":
        owner = value if isinstance(value, type) else instance
        return MethodType(function, owner if isinstance(owner, type) else type(owner))
    if kind == "property":
        return MISSING if instance is None else function(instance)
    return function if instance is None else MethodType(function, instance)


def _function(version: Version, function: FunctionType) -> FunctionType:
    """A function of today, or that of then in its place."""
    known = version.of_functions.get(function)
    if known is not None:
        return known
    info = info_of(function.__code__)
    if info is not None and (info.module.version or info.module.is_library or is_never_pinned(info)):
        return function
    version.of_functions[function] = function  # the cells of a closure may lead back to it
    made = version.of_functions[function] = _function_for(version, function, info)
    if made is function:
        del version.of_functions[function]
    return made


def _function_for(version: Version, function: FunctionType, info: CodeInfo | None) -> FunctionType:
    if info is not None and NESTED not in info.place:
        known = version.module(info.module.name)
        before = _namesake(known, without_number(info.place), info) if known is not None else None
        return function if before is None else function_of(version, before, function)
    code = _same_code(version, function)
    return _rebuilt(version, function) if code is None else _made(code, function, function.__closure__ or ())


def _rebuilt(version: Version, function: FunctionType) -> FunctionType:
    """A closure of today, made once more around the functions of then, if it has any of them."""
    cells = {name: _inner(version, cell) for name, cell in _cells(function)}
    changed = {name: inner for name, inner in cells.items() if inner is not None}
    if not changed:
        return function
    closure = tuple(CellType(changed[name]) if name in changed else cell for name, cell in _cells(function))
    made = _made(function.__code__, function, closure)
    if "__wrapped__" in function.__dict__:
        made.__dict__ = {**function.__dict__, "__wrapped__": own(version.identity, function.__dict__["__wrapped__"])}
    return made


def _same_code(version: Version, function: FunctionType) -> CodeType | None:
    """The code of then of a function that was made by another one, if it says the same."""
    info = info_of(function.__code__)
    module = version.module(info.module.name) if info is not None else None
    before = module.by_place.get(info.place) if info is not None and module is not None else None
    if info is None or before is None or before.digest != info.digest:
        return None
    if function.__code__.co_flags & ITERABLE_COROUTINE:
        before = iterable_coroutine(before)
    return before.code if before.code.co_freevars == function.__code__.co_freevars else None


def _cells(function: FunctionType) -> list[tuple[str, CellType]]:
    return list(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))


def _inner(version: Version, cell: CellType) -> Any:
    """The function of then for the one in a cell; None if there is no other."""
    try:
        content = cell.cell_contents
    except ValueError:
        return None
    if type(content) is not FunctionType or info_of(content.__code__) is None:
        return None
    found = _function(version, content)
    return None if found is content else found


def function_of(version: Version, info: CodeInfo, today: Any = None) -> FunctionType:
    """A function of then that is no closure, made once. ``today``: the one of today, if there is one."""
    key = info.module.name, info.place
    if key not in version.made:
        version.made[key] = _new_function(version, info, today)
    made = version.made[key]
    assert isinstance(made, FunctionType)
    return made


def _new_function(version: Version, info: CodeInfo, today: Any) -> FunctionType:
    namespace = version.namespace(info.module.name)
    like = _like(version, info, today)
    code = info.code
    if like is not None and like.__code__.co_flags & ITERABLE_COROUTINE:
        code = iterable_coroutine(info).code
    cells = dict(_cells(like)) if like is not None else {}  # those of type parameters, and of the class
    closure = tuple(cells.get(name) or _cell(version, info, name) for name in code.co_freevars)
    made = _made(code, like, closure) if like is not None else FunctionType(code, namespace, code.co_name, None, closure)
    if like is None:
        made.__module__, made.__qualname__ = info.module.name, info.place
    node = info.module.node(info.place) if isinstance(info.module, PinnedModule) else None
    if isinstance(node, FUNCTIONS):
        _give_defaults(made, node, like, namespace)
    return made


def _cell(version: Version, info: CodeInfo, name: str) -> CellType:
    return CellType(_class_around(version, info)) if name == "__class__" else CellType()


def _like(version: Version, info: CodeInfo, today: Any) -> FunctionType | None:
    """The function of today: behind what decorators made of it, if it is the one of that place."""
    place = new_place(version.former[info.module.name], info.place)[1] if said() else info.place
    if today is None:
        found: Any = version.namespace(info.module.name).get(place.partition(".")[0])
        for part in place.split(".")[1:]:
            found = found.__dict__.get(part) if isinstance(found, type) else None
        today = found
    today = _behind(today)
    for _ in range(16):
        if not isinstance(today, FunctionType):
            return None
        known = info_of(today.__code__)
        if (
            known is not None
            and known.module.name == info.module.name
            and without_number(known.place) in (without_number(info.place), without_number(place))
        ):
            return today
        today = getattr(today, "__wrapped__", None)
    return None


def _made(code: CodeType, like: FunctionType, closure: tuple[CellType, ...]) -> FunctionType:
    """A function with other code or cells; its attributes are the very ones."""
    made = FunctionType(code, like.__globals__, like.__name__, like.__defaults__, closure)
    made.__kwdefaults__, made.__doc__, made.__module__ = like.__kwdefaults__, like.__doc__, like.__module__
    made.__qualname__ = like.__qualname__
    copy_annotations(like, made)
    made.__dict__ = like.__dict__
    return made


def _give_defaults(made: FunctionType, node: Any, like: FunctionType | None, namespace: dict[str, Any]) -> None:
    """The defaults of the old text: the very objects of today where the text of one is the same."""
    today = _defaults_today(like)
    values = {name: _default(name, each, today, namespace) for name, each in default_expressions(node.args).items()}
    keywords = {each.arg for each in node.args.kwonlyargs}
    made.__defaults__ = tuple(value for name, value in values.items() if name not in keywords) or None
    made.__kwdefaults__ = {name: value for name, value in values.items() if name in keywords} or None


def _defaults_today(like: FunctionType | None) -> dict[str, tuple[str, Any]]:
    """By parameter: the text of the default and its value."""
    info = info_of(like.__code__) if like is not None else None
    if info is None or like is None:
        return {}
    node = info.module.rewriting().places.by_path.get(info.place)
    if not isinstance(node, FUNCTIONS):
        return {}
    values = {name: p.default for name, p in inspect.signature(like, follow_wrapped=False).parameters.items()}
    return {name: (ast.dump(each), values[name]) for name, each in default_expressions(node.args).items() if name in values}


def _default(name: str, node: ast.expr, today: dict[str, tuple[str, Any]], namespace: dict[str, Any]) -> Any:
    if name in today and today[name][0] == ast.dump(node):
        return today[name][1]
    return _evaluated(node, namespace)


def _evaluated(node: ast.expr, namespace: dict[str, Any]) -> Any:
    expression = ast.Expression(body=node)
    return eval(compile(ast.fix_missing_locations(expression), "<default>", "eval", dont_inherit=True), namespace)


def _class_around(version: Version, info: CodeInfo) -> Any:
    """The class whose method a function is: today's, or, if that is gone, the one of then."""
    first, *others = info.place.split(".")[:-1]
    found: Any = then(version.identity, info.module.name, first)
    for name in others:
        found = getattr(found, name)
    return found


def _bound(version: Version, module: str, name: str) -> Any:
    """What the old text binds a module-level name to, if that can be made without running the module. Raises MissingCodeError."""
    node = next(bindings(version.trees[module].body, name), None)
    namespace = version.namespace(module)
    known = version.module(module)
    assert known is not None
    function = _namesake(known, name, None) if isinstance(node, FUNCTIONS) and not node.decorator_list else None
    if function is not None:
        return function_of(version, function)
    today = _under_new_name(version, module, name)
    if today is not MISSING:
        return today
    if isinstance(node, ast.ClassDef):
        return _new_class(version, known, node, namespace)
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return _imported(node, known, namespace)[name]
    if isinstance(node, ast.expr):
        try:
            return ast.literal_eval(node)
        except ValueError:
            made = _container(node, _Names(version, module, namespace))
            if made is not None:
                return made
    for star in stars_in(version.trees[module]) if node is None else ():
        given = _imported(star, known, namespace)
        if name in given:
            return given[name]
    if node is None:
        raise NameError(f"name {name!r} is not defined", name=name)
    raise MissingCodeError(
        f"{known.path}: code of the version in which the state goes on needs {module}.{name}, which today's module does not have "
        "and which cannot be made without running the old module. Put it back, or start afresh; the saved state is kept."
    )


def _under_new_name(version: Version, module: str, name: str) -> Any:
    """What a class, a decorated function or data are today under the name that the program has said; MISSING without one."""
    there, place = new_place(version.former[module], name)
    if place == name and new_module(there) == module:
        return MISSING
    found: Any = sys.modules.get(there) or import_needed(there)
    for part in place.split("."):
        found = getattr(found, part, MISSING)
    return own(version.identity, found)


def _imported(node: ast.Import | ast.ImportFrom, module: PinnedModule, namespace: dict[str, Any]) -> dict[str, Any]:
    """What an import of the old text gives."""
    given: dict[str, Any] = {key: namespace[key] for key in GIVEN if key in namespace}
    exec(compile(ast.Module(with_new_names(node), []), module.path, "exec", dont_inherit=True), given)
    return given


def _container(node: ast.expr, names: _Names) -> Any:
    """The container that an expression makes of names and literals alone, such as ``defaultdict(list)``; None for others."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, (ast.Name, ast.Attribute)):
        return None
    is_plain = not any(isinstance(each, ast.Call) for child in ast.iter_child_nodes(node) for each in ast.walk(child))
    return _in(names, node) if is_plain and _in(names, node.func) in CONTAINERS else None


def _new_class(version: Version, module: PinnedModule, node: ast.ClassDef, namespace: dict[str, Any]) -> Any:
    """A class that is gone, made of its old text; names that it refers to are looked for as its functions do."""
    given = _Names(version, module.name, namespace)
    bodies = (each for each in nested_codes(module.code) if not each.co_flags & inspect.CO_OPTIMIZED)  # not of functions
    code = next(each for each in bodies if each.co_qualname == node.name)
    bases = [_in(given, each) for each in node.bases]
    keywords = {each.arg: _in(given, each.value) for each in node.keywords if each.arg is not None}
    made = builtins.__build_class__(FunctionType(code, namespace), node.name, *bases, **keywords)
    for decorator in reversed(node.decorator_list):
        made = _in(given, decorator)(made)
    return made


def _in(names: _Names, node: ast.expr) -> Any:
    expression: Any = ast.fix_missing_locations(ast.Expression(body=node))
    return eval(compile(expression, "<class>", "eval", dont_inherit=True), {"__builtins__": builtins}, names)


class _Names(dict[str, Any]):
    """The names of a module, those that are gone too."""

    def __init__(self, version: Version, module: str, namespace: dict[str, Any]) -> None:
        super().__init__(namespace)
        self._find: Callable[[str], Any] = lambda name: then(version.identity, module, name)
        self._bound = version.bound[module]

    def __missing__(self, name: str) -> Any:
        if name not in self._bound:
            raise KeyError(name)
        return self._find(name)


def provide() -> None:
    """Let the code of earlier versions find these."""
    vars(builtins).update({OWN: own, READ: read, NAMED: named, THEN: then})
