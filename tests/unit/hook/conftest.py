"""The import hook, installed for a test, with a rewriter that can be observed."""

from __future__ import annotations

import importlib
import importlib.util
import linecache
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from durable_import.hook.install import install, uninstall
from tests.harness.imports import COMPILER, DATA, REGISTRY, Rewriter


def _rewriters() -> list[str]:
    return ["fake", "real"] if all(map(importlib.util.find_spec, (COMPILER, REGISTRY))) else ["fake"]


@pytest.fixture(params=_rewriters())
def rewriter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Rewriter:
    """The rewriter, fake or real, with its two entries observed."""
    monkeypatch.syspath_prepend(str(DATA))
    if request.param == "fake":
        for name, module in importlib.import_module("fake_rewriter").modules().items():
            monkeypatch.setitem(sys.modules, name, module)
    compiler: Any = sys.modules[COMPILER] if request.param == "fake" else importlib.import_module(COMPILER)
    registry: Any = sys.modules[REGISTRY] if request.param == "fake" else importlib.import_module(REGISTRY)
    seen = Rewriter()
    compile_plain, register_module = compiler.compile_plain, registry.register_plain_module

    def compile_observed(source: bytes, path: str, module: str) -> Any:
        seen.events.append(("compile", module))
        return compile_plain(source, path, module)

    def register_observed(name: str, path: str, source: bytes, rewritten: Any, make: Any) -> None:
        seen.events.append(("register", name))
        seen.registered.append((name, path, source, rewritten))
        register_module(name, path, source, rewritten, make)

    monkeypatch.setattr(compiler, "compile_plain", compile_observed)
    monkeypatch.setattr(registry, "register_plain_module", register_observed)
    return seen


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An importable folder; the hook and the modules that a test imports are gone afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    uninstall()
    yield tmp_path
    uninstall()
    for name in set(sys.modules) - before:
        if name.startswith("m_") or name == "part":
            del sys.modules[name]
    linecache.clearcache()


@pytest.fixture
def hook(folder: Path, rewriter: Rewriter) -> Iterator[Path]:  # noqa: ARG001  it is wanted for what it does
    """An importable folder with the hook installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        install()
        yield folder
