"""Installing and removing the import hook."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import pytest

from durable_import.hook.finder import DurableFinder
from durable_import.hook.install import install, uninstall
from tests.harness.imports import COMPILER, REGISTRY, Rewriter, is_rewritten, python, write


def test_install_is_idempotent_and_patterns_accumulate(folder: Path, rewriter: Rewriter) -> None:
    """Installing again adds patterns to the one finder."""
    write(folder, {"m_one.py": "", "m_two.py": "", "m_three.py": ""})
    install(["m_one"])
    install(["m_two"])
    install()
    modules = [importlib.import_module(name) for name in ("m_one", "m_two", "m_three")]
    assert [is_rewritten(module) for module in modules] == [True, True, False]
    assert sum(isinstance(finder, DurableFinder) for finder in sys.meta_path) == 1
    assert rewriter.compiled() == ["m_one", "m_two"]


def test_uninstall(folder: Path, rewriter: Rewriter) -> None:
    """After uninstalling nothing is rewritten, patterns are forgotten, and rewritten modules stay."""
    write(folder, {"m_one.py": "# durable: on\n", "m_two.py": "# durable: on\n", "m_three.py": ""})
    install(["m_three"])
    one = importlib.import_module("m_one")
    uninstall()
    uninstall()
    assert is_rewritten(one)
    assert not is_rewritten(importlib.import_module("m_two"))
    with pytest.warns(RuntimeWarning, match="m_two"):
        install()
    assert not is_rewritten(importlib.import_module("m_three"))
    assert rewriter.compiled() == ["m_one"]


def test_modules_imported_too_early_are_named(folder: Path, rewriter: Rewriter) -> None:
    """Marked or matching modules that are imported already are named in one warning, each once."""
    write(folder, {"m_early.py": "# durable: on\n", "m_matched.py": "", "m_later.py": "", "m_plain.py": ""})
    for name in ("m_early", "m_matched", "m_later", "m_plain"):
        importlib.import_module(name)
    with pytest.warns(RuntimeWarning, match=r"m_early, m_matched\. Call install\(\) before") as caught:
        install(["m_matched"])
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with pytest.warns(RuntimeWarning, match=r"not durable: m_later\. "):
        install(["m_later"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        install(["m_later"])
    assert rewriter.events == []


def test_marked_script_that_installs_the_hook_is_named(tmp_path: Path) -> None:
    """A marked script that calls install() itself cannot be rewritten any more, and is told so."""
    program = "# durable: on\nfrom durable_import.hook.install import install\ninstall()\nprint('went on')\n"
    write(tmp_path, {"script.py": program})
    done = python("script.py", cwd=tmp_path)
    assert done.stdout == "went on\n"
    assert "not durable: __main__" in done.stderr


def test_lazy_modules_are_not_woken(folder: Path, rewriter: Rewriter) -> None:  # noqa: ARG001
    """Looking for modules that were imported too early executes no lazy module."""
    write(folder, {"m_asleep.py": "raise RuntimeError('woken')\n"})
    spec = importlib.util.find_spec("m_asleep")
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules["m_asleep"] = module
    spec.loader.exec_module(module)
    install()
    assert object.__getattribute__(module, "__class__") is not types.ModuleType


@pytest.mark.parametrize("modules", ["shop.*", [1]])
def test_patterns_must_be_a_collection_of_strings(modules: Any) -> None:
    """A lone string, which would be taken for single letters, is an error."""
    with pytest.raises(TypeError, match="patterns"):
        install(modules)


def test_rewriter_is_imported_only_when_needed(tmp_path: Path) -> None:
    """Neither installing the hook nor importing unmarked or cached modules imports the rewriter.

    Nor `ast`, but for what `annotationlib` needs: the standard library itself loads that since Python 3.14.
    """
    write(tmp_path, {"m_on.py": "# durable: on\nx = 1", "m_off.py": "x = 1"})
    program = (
        "import sys, fake_rewriter\nfakes = fake_rewriter.modules()\n"
        "from durable_import.hook.install import install\ninstall()\nimport m_off\n"
        f"print({COMPILER!r} in sys.modules, 'ast' in sys.modules and 'annotationlib' not in sys.modules)\n"
        f"sys.modules[{REGISTRY!r}] = fakes[{REGISTRY!r}]\n"
        f"if len(sys.argv) > 1: sys.modules[{COMPILER!r}] = fakes[{COMPILER!r}]\n"
        "import m_on\n"
    )
    first, second = (python("-c", program, *argv, cwd=tmp_path) for argv in (["with"], []))
    assert (first.stdout, first.stderr) == ("False False\n", "")
    assert (second.stdout, second.stderr) == ("False False\n", "")
