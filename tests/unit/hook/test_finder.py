"""Which modules the import hook rewrites, and which it leaves alone."""

from __future__ import annotations

import asyncio
import importlib
import importlib.machinery
import importlib.util
import inspect
import py_compile
import sys
import threading
import types
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

import durable_import
from durable_import.hook import marker
from durable_import.hook.finder import DurableFinder
from durable_import.hook.install import install
from durable_import.hook.loader import RewritingLoader
from tests.harness.imports import RICH, Rewriter, fresh, is_rewritten, put_behind, write


def test_marked_module_is_rewritten(hook: Path, rewriter: Rewriter) -> None:
    """A marked module is rewritten and computes what it computes natively."""
    write(hook, {"m_rich.py": RICH})
    module: Any = importlib.import_module("m_rich")
    assert rewriter.events == [("compile", "m_rich"), ("register", "m_rich")]
    assert rewriter.registered[0][1:3] == (str(hook / "m_rich.py"), RICH.encode())
    assert asyncio.run(module.main(4)) == 6
    assert inspect.iscoroutinefunction(module.main)
    assert (module.__doc__, module.main.__doc__, module.Point.__qualname__) == ("A module.", "Doc.", "Point")


def test_unmarked_module_keeps_its_loader(hook: Path, rewriter: Rewriter) -> None:
    """An unmarked module gets exactly the spec of the ordinary machinery."""
    write(hook, {"m_plain.py": "x = 1\n"})
    module = importlib.import_module("m_plain")
    assert type(module.__loader__) is SourceFileLoader
    assert module.__spec__ == PathFinder.find_spec("m_plain", [str(hook)])
    assert rewriter.events == []


def test_patterns_rewrite_unmarked_modules(hook: Path, rewriter: Rewriter) -> None:
    """Modules whose full name matches a pattern are rewritten without a mark."""
    write(hook, {"m_shop/__init__.py": "", "m_shop/cart.py": "x = 1", "m_shop/view.py": "x = 1"})
    install(["m_shop.c*"])
    importlib.import_module("m_shop.cart")
    importlib.import_module("m_shop.view")
    assert rewriter.compiled() == ["m_shop.cart"]


def test_finder_stands_first(hook: Path) -> None:  # noqa: ARG001
    """The finder is the first of sys.meta_path, and there once."""
    assert isinstance(sys.meta_path[0], DurableFinder)
    assert sum(isinstance(finder, DurableFinder) for finder in sys.meta_path) == 1


def test_own_modules_are_never_rewritten(hook: Path) -> None:  # noqa: ARG001
    """No pattern makes durable_import rewrite itself."""
    install(["durable_import*", "?urable_import.*"])
    assert DurableFinder().find_spec("durable_import.errors", durable_import.__path__) is None
    spec = importlib.machinery.PathFinder.find_spec("durable_import.errors", durable_import.__path__)
    finder: Any = sys.meta_path[0]
    assert spec is not None
    assert not finder.wants("durable_import.errors", spec)


def test_standard_library_is_not_read(hook: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """Modules of the standard library, frozen, built-in and extension modules are not looked into."""
    monkeypatch.setattr(marker, "file_is_marked", lambda path: pytest.fail(f"read {path}"))
    for name in ("tabnanny", "json.tool", "sys", "os", "zipimport", "_json", "math", "__hello__"):
        spec = sys.meta_path[0].find_spec(name, importlib.import_module("json").__path__ if "." in name else None)
        assert spec is not None, name
        assert not isinstance(spec.loader, RewritingLoader)


def test_standard_library_needs_its_name_in_the_pattern(hook: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """A pattern means a standard module only if it spells out the top-level name."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)  # other tests use libraries that use it
    install(["*sys", "color*"])
    spec = sys.meta_path[0].find_spec("tabnanny", None)
    assert spec is not None
    assert not isinstance(spec.loader, RewritingLoader)
    install(["tabnanny"])
    spec = sys.meta_path[0].find_spec("tabnanny", None)
    assert spec is not None
    assert isinstance(spec.loader, RewritingLoader)


def test_own_module_named_like_a_standard_one(hook: Path) -> None:
    """A user's marked module is rewritten though the standard library has one of its name."""
    write(hook, {"tabnanny.py": "# durable: on\n"})
    spec = sys.meta_path[0].find_spec("tabnanny", None)
    assert spec is not None
    assert isinstance(spec.loader, RewritingLoader)


def test_missing_module(hook: Path) -> None:  # noqa: ARG001
    """A module that does not exist is not found, with the ordinary error."""
    assert importlib.util.find_spec("m_missing") is None
    with pytest.raises(ModuleNotFoundError, match="No module named 'm_missing'"):
        importlib.import_module("m_missing")


def test_bytecode_without_source_is_left_with_a_warning(hook: Path) -> None:
    """A module that a pattern names but that has no source is imported as it is, and a warning says so."""
    write(hook, {"m_bare.py": "x = 7\n"})
    py_compile.compile(str(hook / "m_bare.py"), str(hook / "m_bare.pyc"))
    (hook / "m_bare.py").unlink()
    install(["m_bare"])
    with pytest.warns(RuntimeWarning, match="m_bare.*does not hand out source"):
        assert fresh("m_bare").x == 7


class Foreign:
    """A finder of somebody else's, with a loader that is no SourceFileLoader and takes its sources from a dict."""

    def __init__(self, sources: dict[str, str]) -> None:
        self.sources = sources

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        if name not in self.sources:
            return None
        return importlib.util.spec_from_file_location(name, f"<memory>/{name}.py", loader=self)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> types.ModuleType | None:
        module = types.ModuleType(spec.name)
        module.__dict__["made_by"] = "Foreign"
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        exec(self.sources[module.__name__], module.__dict__)

    def get_data(self, path: str) -> bytes:
        return self.sources[Path(path).stem].encode()

    def get_source(self, name: str) -> str:
        return self.sources[name]

    def favourite(self) -> str:
        return "colour"


def test_other_finders_are_asked(hook: Path, monkeypatch: pytest.MonkeyPatch, rewriter: Rewriter) -> None:  # noqa: ARG001
    """A marked module of another finder is rewritten; its loader is still asked for everything else."""
    foreign = Foreign({"m_on": "# durable: on\nx = 1\n", "m_off": "x = 2\n"})
    put_behind(monkeypatch, foreign)
    on, off = importlib.import_module("m_on"), importlib.import_module("m_off")
    assert (on.x, on.made_by, off.x, off.__dict__["__loader__"]) == (1, "Foreign", 2, foreign)
    assert rewriter.compiled() == ["m_on"]
    loader: Any = on.__loader__
    assert (loader.favourite(), inspect.getsource(on)) == ("colour", "# durable: on\nx = 1\n")
    del sys.modules["m_on"], sys.modules["m_off"]


def test_loader_without_sources_is_left_with_a_warning(hook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A marked module whose loader hands out no source is imported as it is, and a warning says so."""

    class Opaque(Foreign):
        def __getattribute__(self, name: str) -> Any:
            if name in ("get_source", "get_data"):
                raise AttributeError(name)
            return super().__getattribute__(name)

        def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
            if name not in self.sources:
                return None
            return importlib.util.spec_from_file_location(name, hook / f"{name}.py", loader=self)

    monkeypatch.delattr(Foreign, "get_data")
    write(hook, {"m_opaque.py": "# durable: on\n"})
    put_behind(monkeypatch, Opaque({"m_opaque": "x = 1"}))
    with pytest.warns(RuntimeWarning, match="m_opaque.*does not hand out source"):
        assert importlib.import_module("m_opaque").x == 1


def test_loader_that_transforms_code_is_replaced_with_a_warning(hook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A marked module of another rewriting loader is made durable, and a warning names the loser."""

    class Shouting(SourceFileLoader):
        def get_code(self, fullname: str) -> types.CodeType:  # noqa: ARG002
            pytest.fail("both rewrote the module")

    class ShoutingFinder:
        def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
            where = str(hook / f"{name}.py")
            if name != "m_loud":
                return None
            return importlib.util.spec_from_file_location(name, where, loader=Shouting(name, where))

    write(hook, {"m_loud.py": "# durable: on\nx = 1"})
    put_behind(monkeypatch, ShoutingFinder())
    with pytest.warns(RuntimeWarning, match="m_loud.*Shouting"):
        assert is_rewritten(importlib.import_module("m_loud"))


def test_finder_that_asks_everybody_does_not_recurse(hook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another finder that delegates to all of sys.meta_path, as ours does, leads to no endless recursion."""

    class Asking:
        def find_spec(self, *arguments: Any) -> ModuleSpec | None:
            others = [finder for finder in sys.meta_path if finder is not self]
            return next(filter(None, (finder.find_spec(*arguments) for finder in others)), None)

    write(hook, {"m_asked.py": "# durable: on\nx = 1"})
    put_behind(monkeypatch, Asking())
    assert is_rewritten(importlib.import_module("m_asked"))


def test_many_threads_import_at_once(hook: Path, rewriter: Rewriter) -> None:
    """Modules imported by many threads at the same time are each rewritten and executed once."""
    names = [f"m_thread{i}" for i in range(20)]
    write(hook, {f"{name}.py": RICH for name in names})
    start, failures = threading.Barrier(8), []

    def work() -> None:
        start.wait()
        for name in names:
            try:
                importlib.import_module(name)
            except BaseException as error:
                failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(rewriter.compiled()) == sorted(names)
