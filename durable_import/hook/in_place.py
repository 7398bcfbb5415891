"""Modules rewritten where they stand, after their import: their functions keep their identity and get the rewritten code.

All functions that exist get it: decorated ones, methods, what properties call, closures made already; functions that are made
later get it from the function that makes them. A module that is still being executed defines its further functions by its old
code; they get the rewritten one when the next instance begins (``complete``). Nothing else of the module changes, and no
function of it becomes an instance by itself.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from ..errors import NoSourceCodeException
from ..log import logger
from ..pythons.codes import silent
from ..rewrite.rewritten import RewrittenModule
from . import cache
from .code_table import ITERABLE_COROUTINE, MODULES, info_of, register_module
from .live_code import places_by_code, source_of, stands_in_file

_replaced: dict[str, dict[CodeType, CodeType]] = {}  # by module: the rewritten code for what runs
_growing: dict[str, bool] = {}  # modules that were being executed when they were rewritten; whether all was searched since
_lock = threading.RLock()


def rewrite_function(function: FunctionType) -> None:
    """Make a function durable, and with it all others of its module; one that is durable stays as it is.

    Raises NoSourceCodeException if its source cannot be found, UnsupportedSyntaxError if that cannot be rewritten.
    """
    with _lock:
        if info_of(function.__code__) is not None:
            return
        if not stands_in_file(function.__code__.co_filename, function.__globals__):
            raise _no_source(function, "it was typed in, at a prompt or in a notebook, or made by exec")
        module = _module_of(function)
        if function.__code__ not in _replaced.get(module.__name__, {}):
            _replaced[module.__name__] = _rewritten_codes(module, function)
        functions = _functions_of(module)
        replace_code(functions, _replaced[module.__name__].get)
        if _is_being_executed(module):
            _growing[module.__name__] = False
        left = [each.__qualname__ for each in functions if info_of(each.__code__) is None]
        if left:
            logger.debug("module %s: functions that its source does not say stay as they are: %s", module.__name__, left)


def _module_of(function: FunctionType) -> ModuleType:
    name = function.__globals__.get("__name__")
    module = sys.modules.get(name) if isinstance(name, str) else None
    if module is None or vars(module) is not function.__globals__:
        raise _no_source(function, f"there is no imported module {name!r} that it belongs to")
    return module


def _rewritten_codes(module: ModuleType, function: FunctionType) -> dict[CodeType, CodeType]:
    """Rewrite the source of a module: the new code for the one that each of its functions has."""
    found = source_of(module)
    if found is None:
        raise _no_source(function, f"the source of module {module.__name__!r} cannot be read")
    source, path = found
    if module.__name__ in MODULES and module.__name__ not in _replaced:
        raise _no_source(function, f"it does not stand in {path}, which is durable already")
    try:
        places = places_by_code(source, path)
    except SyntaxError as error:
        raise _no_source(function, f"{path} has changed since it was imported: {error}") from error
    if function.__code__ not in places:
        raise _no_source(
            function,
            f"{path} does not say what it does: the file has changed since it was imported, exec has made the "
            "function, or an import hook has changed its code",
        )
    rewritten = rewritten_module(module.__name__, source, path, is_library=False)
    register_module(module.__name__, path, source, rewritten)
    today = MODULES[module.__name__].by_place
    return {code: today[place].code for code, place in places.items() if place in today}


def _is_being_executed(module: ModuleType) -> bool:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals is vars(module) and frame.f_code.co_name == "<module>":
            return True
        frame = frame.f_back
    return False


def _functions_of(module: ModuleType) -> list[FunctionType]:
    """All functions that were defined in a module, wherever they are held.

    The garbage collector knows all that it has not been told to freeze; of those, at least what the module's names lead to.
    """
    namespace = vars(module)
    found = {id(value): value for value in functions_of_namespace(namespace, str(module.__file__))}
    for value in gc.get_objects():
        if type(value) is FunctionType and value.__globals__ is namespace:
            found[id(value)] = value
    return list(found.values())


def _no_source(function: FunctionType, reason: str) -> NoSourceCodeException:
    code = function.__code__
    return NoSourceCodeException(
        f"{function.__qualname__} ({code.co_filename}:{code.co_firstlineno}) cannot be made durable: {reason}. Only functions "
        "that stand in the file of an imported module have a source; put it there, or begin that file with `# durable: on` and "
        "import it after durable_import.install()"
    )


def complete() -> None:
    """Give the rewritten code to functions that modules have defined after they were rewritten."""
    with _lock:
        for name, is_searched in list(_growing.items()):
            module = sys.modules.get(name)
            if module is not None:
                is_script = module.__spec__ is None  # may go on after its ``asyncio.run``; what it defines has a name then
                found = functions_of_namespace(vars(module), str(module.__file__)) if is_searched else _functions_of(module)
                replace_code(list(found), _replaced[name].get)
                _growing[name] = True
            if module is None or not (is_script or getattr(module.__spec__, "_initializing", False)):
                del _growing[name]


def replace_code(functions: Iterable[FunctionType], code_for: Callable[[CodeType], CodeType | None]) -> None:
    """Give functions the code that there is for the one that they have."""
    for function in functions:
        old = function.__code__
        flag = old.co_flags & ITERABLE_COROUTINE  # ``types.coroutine`` has replaced the code that the source gives
        code = code_for(old) or (code_for(old.replace(co_flags=old.co_flags & ~flag)) if flag else None)
        if code is not None:
            function.__code__ = code.replace(co_flags=code.co_flags | flag) if flag else code


def rewritten_module(name: str, source: bytes, path: str, *, is_library: bool) -> RewrittenModule:
    """A module whose functions do not become instances by themselves, from the cache if it is there."""
    kept_as = f"{name} {'library' if is_library else 'in place'}"  # the cache of a marked module is another one
    rewritten = cache.load(path, kept_as, source, cache.FAST)
    if rewritten is None:
        from ..rewrite.compiler import compile_module

        with silent():
            rewritten = compile_module(source, path, is_library=is_library, has_roots=False)
        cache.store(path, kept_as, source, rewritten, cache.FAST)
    return rewritten


def functions_of_namespace(namespace: Any, path: str) -> Iterator[FunctionType]:
    """The functions of a module and the methods of its classes."""
    for value in list(namespace.values()):
        function = getattr(value, "__func__", value)
        if isinstance(function, FunctionType) and function.__code__.co_filename == path:
            yield function
        elif isinstance(value, type) and value.__module__ == namespace.get("__name__"):
            yield from functions_of_namespace(vars(value), path)
