"""Loaders that execute rewritten code and in all else are the loaders they replace.

Only ``get_code`` is overridden. ``exec_module`` stays importlib's own: it calls ``get_code``, and since it is frozen
its frames are removed from tracebacks, so an error in a module that is being imported looks as usual. ``runpy`` (and so
``python -m``, ``pdb -m``, ``cProfile -m``) calls ``get_code`` as well. Therefore it is ``get_code`` that registers the
module: what asks for a module's code is about to execute it.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import BYTECODE_SUFFIXES, ModuleSpec, SourceFileLoader
from types import CodeType
from typing import TYPE_CHECKING, Any, cast
from zipimport import zipimporter

from durable_import.errors import UnsupportedSyntaxError
from durable_import.hook import cache
from durable_import.hook.switch import ON
from durable_import.pythons.codes import silent
from durable_import.pythons.compiler import named
from durable_import.pythons.support import refused
from durable_import.pythons.versions import IS_KNOWN
from durable_import.rewrite.rewritten import RewrittenModule

__all__ = [
    "DurableForeignLoader",
    "DurableSourceLoader",
    "DurableZipLoader",
    "RewritingLoader",
    "is_rewriting",
    "rewriting_loader",
    "source_path",
    "without_rewriting",
]

_this_thread = threading.local()


def is_rewriting() -> bool:
    """Whether this thread is inside the rewriter, whose own imports must not need the rewriter."""
    return getattr(_this_thread, "rewriting", False)


@contextmanager
def without_rewriting() -> Iterator[None]:
    """Modules that this thread looks for meanwhile are found as they are."""
    outer = is_rewriting()
    _this_thread.rewriting = True
    try:
        yield
    finally:
        _this_thread.rewriting = outer


class RewritingLoader:
    """Mixin for loaders of source code: ``get_code`` returns rewritten code."""

    if TYPE_CHECKING:

        def get_data(self, path: str) -> bytes: ...

    def __init__(self, spec: ModuleSpec, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._source_path = source_path(spec)

    def get_code(self, fullname: str) -> CodeType:
        """The rewritten code of the module, which is registered first, as it is going to be executed.

        It is that of the plain variant while no runtime exists: see ``exchange``.

        Raises UnsupportedSyntaxError for code that cannot be rewritten, and what ``compile`` raises for the source. On a Python
        that is not known, and that the rewriter does not understand, it is the code that the source natively has.
        """
        try:
            return self._load(fullname)
        except SyntaxError as error:
            raise error.with_traceback(None)  # noqa: B904  the error is about the source; our frames would hide that
        except Exception as error:
            if IS_KNOWN:
                raise
            return self._as_it_is(fullname, error)

    def _as_it_is(self, fullname: str, error: Exception) -> CodeType:
        lack = f"rewriting module {fullname!r} failed ({type(error).__name__}: {error})"
        if ON:
            raise refused(lack) from error
        warnings.warn_explicit(f"not durable: {refused(lack)}", RuntimeWarning, self._source_path, 1)
        native: CodeType = compile(self.get_data(self._source_path), self._source_path, "exec", dont_inherit=True)
        return native

    def _load(self, fullname: str) -> CodeType:
        path = self._source_path
        source = self.get_data(path)
        if ON:
            rewritten = self._variant(source, path, fullname, cache.FAST)
            with without_rewriting():
                from durable_import.hook.code_table import register_module

                register_module(fullname, path, source, cast("Any", rewritten))  # it asks for .code and .table only
            return rewritten.code
        plain = self._variant(source, path, fullname, cache.PLAIN)
        with without_rewriting():
            from durable_import.hook.code_table import register_plain_module

            register_plain_module(fullname, path, source, plain, lambda: self._fast_variant(source, path, fullname))
        return plain.code

    def _fast_variant(self, source: bytes, path: str, fullname: str) -> RewrittenModule:
        """The fast variant of a module that is executed already, and of which the compiler has said what it had to say."""
        with silent():
            return self._variant(source, path, fullname, cache.FAST)

    def _variant(self, source: bytes, path: str, fullname: str, variant: str) -> RewrittenModule:
        return _rewrite(source, path, fullname, variant)


class DurableSourceLoader(RewritingLoader, SourceFileLoader):  # type: ignore[misc]  # typeshed's own conflict
    """For modules in files; the rewritten bytecode is cached."""

    def __init__(self, spec: ModuleSpec, original: SourceFileLoader) -> None:
        super().__init__(spec, original.name, original.path)

    def _variant(self, source: bytes, path: str, fullname: str, variant: str) -> RewrittenModule:
        rewritten = cache.load(path, fullname, source, variant)
        if rewritten is None:
            rewritten = _rewrite(source, path, fullname, variant)
            cache.store(path, fullname, source, rewritten, variant)
        return rewritten


class DurableZipLoader(RewritingLoader, zipimporter):
    """For modules in zip archives; nothing is cached, just as ``zipimport`` compiles sources again each time."""

    def __init__(self, spec: ModuleSpec, original: zipimporter) -> None:
        super().__init__(spec, os.path.join(original.archive, original.prefix))


class DurableForeignLoader(RewritingLoader, SourceFileLoader):  # type: ignore[misc]  # likewise
    """For modules of any other loader that gives their sources; it is still asked for everything but code."""

    def __init__(self, spec: ModuleSpec, original: Any) -> None:
        super().__init__(spec, spec.name, spec.origin)
        self._original = original
        for name in ("create_module", "get_data", "get_filename", "get_resource_reader", "get_source", "is_package"):
            if hasattr(original, name):
                setattr(self, name, getattr(original, name))

    def __getattr__(self, name: str) -> Any:
        if name == "_original":
            raise AttributeError(name)
        return getattr(self.__dict__["_original"], name)


def source_path(spec: ModuleSpec) -> str:
    """The path of the module's source, as ``get_data`` of its loader takes it."""
    origin = spec.origin or ""
    for suffix in BYTECODE_SUFFIXES:  # zipimport prefers mod.pyc where there is mod.py as well
        if origin.endswith(suffix):
            return origin.removesuffix(suffix) + ".py"
    return origin


def rewriting_loader(spec: ModuleSpec) -> RewritingLoader | None:
    """The loader to put in the place of ``spec.loader``; None if that one cannot hand out source code."""
    original: Any = spec.loader
    if type(original) is SourceFileLoader:
        return DurableSourceLoader(spec, original)
    if not (hasattr(original, "get_source") and hasattr(original, "get_data")):
        return None
    try:
        original.get_data(source_path(spec))
    except OSError:  # only bytecode is there
        return None
    return DurableZipLoader(spec, original) if type(original) is zipimporter else DurableForeignLoader(spec, original)


def _rewrite(source: bytes, path: str, fullname: str, variant: str) -> RewrittenModule:
    with without_rewriting():
        from durable_import.rewrite.compiler import compile_module, compile_plain

        try:
            with silent():
                made = (compile_module if variant == cache.FAST else compile_plain)(source, path, fullname)
        except UnsupportedSyntaxError:
            raise
        except SyntaxError as error:
            _compile_ordinary(source, path, fullname)
            raise UnsupportedSyntaxError(
                f"the rewriter failed on it ({error})",
                filename=path,
                lineno=error.lineno or 0,
                way_out="Please report this. Without the mark the module is imported as it is.",
            ) from error
    _compile_ordinary(source, path, fullname)
    return made


def _compile_ordinary(source: bytes, path: str, fullname: str) -> None:
    """Say what the compiler says of a source, in warnings or as its refusal, and nothing of the rewriter's attempt."""
    try:
        compile(source, path, "exec", dont_inherit=True, **named(fullname))
    except SyntaxError as error:
        error.__context__ = None
        raise
