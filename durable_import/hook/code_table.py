"""Which code objects are rewritten, and what is known of each.

Filled by the loader at import; asked by ``@step`` (is this awaitable a frame?), by capture (which place, which hidden
variables are live?) and by restore (the resume variant of a place). Of a reloaded module the newest version answers for
places, older code objects stay known for the frames that still run them.

A module that is imported while no runtime exists runs in its plain variant: what there is to know of it waits in ``PENDING``
until somebody asks. Then the code objects of both variants are known; those of the plain one say which takes their place.
"""

from __future__ import annotations

import importlib
import sys
import threading
import types
from typing import TYPE_CHECKING, Any

from ..errors import CodeChangedError, MissingCodeError, UnsupportedSyntaxError
from ..pythons.codes import nested_codes, silent
from ..rewrite.analysis.relative_paths import absolute

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..rewrite.analysis.annotations import Annotation
    from ..rewrite.analysis.suspensions import Place
    from ..rewrite.compiler import Inside, ModuleRewriting
    from ..rewrite.rewritten import RewrittenModule

KNOWN: dict[int, CodeInfo] = {}  # by id of the code object; the info keeps the code object alive
_BY_POSITION: dict[tuple[str, int], list[CodeInfo]] = {}  # the same as registered, by file and first line
MODULES: dict[str, ModuleInfo] = {}
PROGRAM: dict[str, ModuleInfo] = {}  # those of them that are no library's
PENDING: list[tuple[str, str, bytes, RewrittenModule, Callable[[], RewrittenModule]]] = []  # see ``register_plain_module``
PLAIN: dict[str, str] = {}  # names and paths of modules that have functions in their plain variant: see ``exchange``
REFUSED: dict[str, UnsupportedSyntaxError] = {}  # by name: modules that run in their plain variant and have no fast one
_refused_codes: dict[int, tuple[types.CodeType, UnsupportedSyntaxError]] = {}  # by id of their code objects
_lock = threading.RLock()
_generation = 0  # grows with each change of what modules the program has
ITERABLE_COROUTINE = 0x100  # the flag of code whose generators can be awaited: ``types.coroutine`` has made it


class CodeInfo:
    """One rewritten function: its code, module, place, digest, and suspensions by label. It is not changed.

    What ``suspensions`` has for a label is what snapshots say of a frame that stands there: see ``Suspend.place``.
    ``awaited``, only of a library: the text of what is awaited at each label. ``durable``, of code of the plain variant: the
    code of the fast one.
    """

    __slots__ = ("_labels", "awaited", "code", "digest", "durable", "is_resume", "module", "place", "suspensions")

    def __init__(
        self,
        code: types.CodeType,
        module: ModuleInfo,
        place: str,
        digest: str,
        suspensions: dict[int, Place],
        awaited: dict[int, str] | None = None,
        *,
        is_resume: bool = False,
        durable: types.CodeType | None = None,
    ) -> None:
        self.code = code
        self.module = module
        self.place = place
        self.digest = digest
        self.suspensions = suspensions
        self._labels: dict[Place, int] | None = None
        self.awaited = awaited or {}
        self.is_resume = is_resume
        self.durable = durable

    def of(self, code: types.CodeType, **changed: Any) -> CodeInfo:
        """The same of another code object of the function."""
        same = {"is_resume": self.is_resume, "durable": self.durable} | changed
        return CodeInfo(code, self.module, self.place, self.digest, self.suspensions, self.awaited, **same)

    def label_of(self, place: Place) -> int | None:
        """The label of a suspension as it is today; None if none is just like that."""
        if self._labels is None:
            self._labels = {here: label for label, here in self.suspensions.items()}
        return self._labels.get(place)

    def names(self, label: int, role: str = "") -> list[str]:
        """The hidden variables that are kept at a label, those of a role in the order in which they came to be.

        What is awaited is no such variable: ``awaits`` says whether there is that too.
        """
        here = self.suspensions.get(label)
        return [name for name, its, _ in here[2] if not role or its == role] if here is not None else []

    def beside(self, label: int, name: str, role: str) -> str | None:
        """Of those the one that has another role for the node which ``name`` serves."""
        kept = self.suspensions[label][2]
        path = next(path for other, _, path in kept if other == name)
        return next((other for other, its, served in kept if its == role and served == path), None)

    def path_of(self, label: int, name: str) -> str:
        """The path of the node that one of them serves."""
        way, _, kept = self.suspensions[label]
        return next(absolute(path, way) for other, _, path in kept if other == name)

    def awaits(self, label: int) -> bool:
        """Whether something is awaited, or delegated to, at a label."""
        here = self.suspensions.get(label)
        return here is not None and here[1] != "yield"


class ModuleInfo:
    """One rewritten version of a module. ``version``: that of the program, if it is not the one of today: see ``upgrades``."""

    def __init__(
        self,
        name: str,
        path: str,
        source: bytes,
        flags: int,
        *,
        is_library: bool = False,
        is_unrewritten: bool = False,
        version: str = "",
    ) -> None:
        self.name = name
        self.version = version
        self.is_library = is_library  # asyncio itself: its module-level objects are not the program's
        self.path = path
        self.source = source
        self.flags = flags  # of its code, as far as they say how to compile
        self.is_unrewritten = is_unrewritten  # its own code is not rewritten: see ``hook.unrewritten``
        self.by_place: dict[str, CodeInfo] = {}
        self.resumes: dict[tuple[str, int], types.CodeType] = {}  # by place, and whether they can be awaited as generators
        self._rewriting: ModuleRewriting | None = None

    def rewriting(self) -> ModuleRewriting:
        """A run of the rewriter over the source as it was imported: made when first needed, for all functions."""
        if self._rewriting is None:
            from ..rewrite.compiler import ModuleRewriting

            with silent():
                self._rewriting = ModuleRewriting(self.source, self.path)
        return self._rewriting


def register_module(name: str, path: str, source: bytes, rewritten: RewrittenModule, *, is_library: bool = False) -> None:
    """Make the functions of a module known, before its code runs."""
    global _generation
    module = ModuleInfo(name, path, source, flags=rewritten.code.co_flags, is_library=is_library)
    fill_module(module, rewritten)
    MODULES[name] = module
    REFUSED.pop(name, None)
    if not is_library:
        PROGRAM[name] = module
        _generation += 1


def fill_module(module: ModuleInfo, rewritten: RewrittenModule) -> None:
    """Make the functions of a version of a module known."""
    for code, row in zip(nested_codes(rewritten.code), rewritten.table, strict=True):
        if row is not None:
            info = CodeInfo(code, module, *row)
            _make_known(info)
            module.by_place.setdefault(info.place, info)


def program_generation() -> int:
    """A number that is another one when modules of the program have been imported, or imported again."""
    if PENDING:
        register_pending()
    return _generation


def register_plain_module(
    name: str, path: str, source: bytes, plain: RewrittenModule, make: Callable[[], RewrittenModule]
) -> None:
    """The same for a module whose plain variant is going to run; ``make`` gives the fast one, when somebody asks."""
    PENDING.append((name, path, source, plain, make))
    PLAIN[name] = path


def register_pending() -> None:
    """Make known what waits. A module that cannot be rewritten is refused alone, when somebody asks for it."""
    with _lock:
        while PENDING:
            name, path, source, plain, make = PENDING[0]
            try:
                fast = make()
            except UnsupportedSyntaxError as error:
                _refuse(name, plain, error)
            else:
                register_module(name, path, source, fast)
                _pair_with_plain(MODULES[name], plain)
            del PENDING[0]  # only now: others wait until all is known


def _pair_with_plain(module: ModuleInfo, plain: RewrittenModule) -> None:
    for code, place in zip(nested_codes(plain.code), plain.table, strict=True):
        info = module.by_place.get(place)
        if info is not None:
            _make_known(info.of(code, durable=info.code))


def _refuse(name: str, plain: RewrittenModule, error: UnsupportedSyntaxError) -> None:
    global _generation
    _generation += 1
    MODULES.pop(name, None)  # an earlier version of it
    PROGRAM.pop(name, None)
    PLAIN.pop(name, None)
    REFUSED[name] = error
    for code, place in zip(nested_codes(plain.code), plain.table, strict=True):
        if place is not None:
            _refused_codes[id(code)] = code, error


def is_refused(code: types.CodeType) -> bool:
    """Whether code is of a module that could not be rewritten: ``info_of`` raises what is wrong with it."""
    return id(code) in _refused_codes


def _make_known(info: CodeInfo) -> None:
    KNOWN[id(info.code)] = info
    _BY_POSITION.setdefault((info.code.co_filename, info.code.co_firstlineno), []).append(info)


def info_of(code: types.CodeType) -> CodeInfo | None:
    """What is known of a code object; None if it is not rewritten code.

    Raises UnsupportedSyntaxError if it is of a module that was to be rewritten and cannot be.
    """
    if PENDING:
        register_pending()
    info = KNOWN.get(id(code))
    if info is None and id(code) in _refused_codes:
        raise _refused_codes[id(code)][1].with_traceback(None)
    if info is None and code.co_flags & ITERABLE_COROUTINE:
        for other in _BY_POSITION.get((code.co_filename, code.co_firstlineno), ()):
            known = other.code  # of the same module if it has the very same table
            if code.co_linetable is known.co_linetable and code.replace(co_flags=known.co_flags) == known:
                return other.of(code)
    return info


def iterable_coroutine(info: CodeInfo) -> CodeInfo:
    """A generator function as ``types.coroutine`` makes it."""
    return info.of(info.code.replace(co_flags=info.code.co_flags | ITERABLE_COROUTINE))


def find(module: str, place: str, digest: str | None = None) -> CodeInfo:
    """The function at a place today.

    Raises UnsupportedSyntaxError when the module could not be rewritten, MissingCodeError when module or place are gone,
    CodeChangedError when the code there has another digest. Of a library it may have: see ``snapshot.library``.
    """
    if PENDING:
        register_pending()
    if module in REFUSED:
        raise REFUSED[module].with_traceback(None)
    if module not in MODULES:
        import_needed(module)
    known = MODULES.get(module)
    if known is None:
        where = getattr(sys.modules.get(module), "__file__", module)
        raise MissingCodeError(
            f"the saved state needs {place!r} of module {module!r} ({where}), which is no longer marked durable. "
            "Begin the file with `# durable: on` again; the saved state is kept."
        )
    info = known.by_place.get(place)
    if info is None:
        raise MissingCodeError(
            f"the saved state needs function {place!r} of {known.path}, which is no longer there. "
            "Put it back, or start afresh; the saved state is kept."
        )
    if digest is not None and info.digest != digest and not known.is_library:
        raise _changed(info, f"code of {place!r} has", digest, info.digest)
    return info


def import_needed(module: str) -> types.ModuleType:
    """A module that a saved state needs. Raises MissingCodeError if it cannot be imported."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingCodeError(
            f"the saved state needs module {module!r}, which cannot be imported ({error}). "
            "Put it back on the import path and resume again; the saved state is kept."
        ) from error


def _changed(info: CodeInfo, what: str, digest: str, found: str) -> CodeChangedError:
    path, line = info.module.path, info.code.co_firstlineno
    return CodeChangedError(
        f"{path}:{line}: the {what} changed since the state was saved (it was {digest[:12]}, it is {found[:12]}). "
        "Put the old code back to let the instance finish, or start afresh; the saved state is kept.",
        filename=path,
        lineno=line,
        function=info.place,
        digest=digest,
    )


def find_annotations(module: str, place: str, digest: str) -> dict[str, Annotation]:
    """The annotations of the definition at a place, by name as they are called today; raises as ``find`` does."""
    from ..rewrite.analysis.annotations import annotations_of
    from ..rewrite.analysis.places import digest_of_annotations
    from ..rewrite.analysis.scopes import mangled

    info = find(module, place)
    places = info.module.rewriting().places
    node = places.by_path[place]
    found = digest_of_annotations(node)
    if found != digest:
        raise _changed(info, f"annotations of {place!r} have", digest, found)
    owner = places.class_around(node)
    return {mangled(each.name, owner): each for each in annotations_of(node)}


def resume_code(info: CodeInfo) -> types.CodeType:
    """The code of the resume variant of a function, compiled at the first use."""
    module, fast = info.module, info.code
    flag = fast.co_flags & ITERABLE_COROUTINE
    code = module.resumes.get((info.place, flag))
    if code is None:
        code = module.resumes.get((info.place, flag ^ ITERABLE_COROUTINE))
        if code is None:
            code = module.rewriting().compile_resume(info.place, _inside(info))
        flags = code.co_flags & ~ITERABLE_COROUTINE | flag
        code = code.replace(co_name=fast.co_name, co_qualname=fast.co_qualname, co_flags=flags)
        module.resumes[info.place, flag] = code
        KNOWN[id(code)] = info.of(code, is_resume=True)
    return code


def enter_code(info: CodeInfo, manager: str, *, is_kept: bool, is_entered: bool) -> types.CodeType:
    """The code of a function that enters a ``with`` block of a function again; for the rest see ``enter_function``."""
    return info.module.rewriting().compile_enter(info.place, manager, _inside(info), is_kept=is_kept, is_entered=is_entered)


def _inside(info: CodeInfo) -> Inside:
    from ..rewrite.compiler import Inside

    fast, module = info.code, info.module
    variables = [*fast.co_varnames]
    variables += sorted({n for label in info.suspensions for n in info.names(label) if n not in variables})
    originals = {} if module.is_unrewritten else {place: other.code for place, other in module.by_place.items()}
    return Inside([n for n in variables if n != "@pc"], captured_names(fast), originals, module.flags, fast.co_firstlineno)


_captured: dict[int, tuple[types.CodeType, list[str]]] = {}  # by id of the code


def captured_names(code: types.CodeType) -> list[str]:
    """The variables of a function that live in cells, in the order of its frame's slots."""
    known = _captured.get(id(code))
    if known is None:
        known = _captured[id(code)] = code, _captured_names(code)
    return known[1]


def _captured_names(code: types.CodeType) -> list[str]:
    arguments = [n for n in code.co_varnames if n in code.co_cellvars]  # a local may also hide a free variable (PEP 709)
    return [*arguments, *(n for n in code.co_cellvars if n not in arguments), *code.co_freevars]


def source_of(info: CodeInfo) -> str:
    """The source text of a function as it was imported."""
    import inspect

    lines = info.module.source.decode("utf-8", "replace").splitlines(keepends=True)
    try:
        return "".join(inspect.getblock(lines[info.code.co_firstlineno - 1 :]))
    except (SyntaxError, IndexError):
        return ""
