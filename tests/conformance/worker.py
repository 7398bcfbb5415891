"""Runs one test file of the standard library in this process and writes the outcome of each test to a JSON file."""

from __future__ import annotations

import ast
import doctest
import importlib
import json
import signal
import sys
import unittest
from collections.abc import Callable
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

NATIVE, PLAIN, REWRITTEN, DURABLE, TORTURED = "native", "plain", "rewritten", "durable", "tortured"
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


class Recorder(unittest.TestResult):
    """Notes one outcome for each test; one failed subtest makes the test fail."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: dict[str, str] = {}
        self.details: dict[str, str] = {}
        self.keys: dict[int, str] = {}

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        key, number = test.id(), 1
        while key in self.outcomes:  # two doctests may have one name
            number += 1
            key = f"{test.id()}#{number}"
        self.keys[id(test)] = key
        self.outcomes[key] = PASSED

    def _failed(self, test: Any, error: Any) -> None:
        key = self.keys.get(id(test)) or test.id()  # a failed setUpClass has no test
        self.outcomes[key] = FAILED
        self.details[key] = self._exc_info_to_string(error, test)  # type: ignore[attr-defined]

    def addError(self, test: Any, err: Any) -> None:
        self._failed(test, err)

    def addFailure(self, test: Any, err: Any) -> None:
        self._failed(test, err)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self._failed(test, err)
            key = self.keys[id(test)]
            self.details[key] = f"{subtest.id()}\n{self.details[key]}"

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: ARG002  (the name is unittest's)
        key = self.keys.get(id(test)) or test.id()
        self.outcomes[key] = SKIPPED

    def addUnexpectedSuccess(self, test: Any) -> None:
        self.outcomes[self.keys[id(test)]] = FAILED


def import_rewritten(name: str) -> ModuleType:
    """The module, rewritten, as are the examples of its doctests. Raises AssertionError if it came without the rewriter."""
    import durable_import
    from durable_import.hook.loader import RewritingLoader

    durable_import.install([name])
    doctest.compile = compile_example  # type: ignore[attr-defined]
    module = importlib.import_module(name)
    assert isinstance(module.__loader__, RewritingLoader), f"{name} was not rewritten"
    return module


def import_fast(name: str) -> ModuleType:
    """... while a runtime exists, in which nothing runs: in the variant that instances run."""
    from durable_import.frames import ambient

    ambient.ON.append(name)
    return import_rewritten(name)


def compile_example(source: str, path: str, mode: str, flags: int, dont_inherit: bool) -> CodeType:
    """What ``doctest`` compiles an example with."""
    from durable_import.rewrite.compiler import ModuleRewriting

    assert mode == "single"
    rewriting = ModuleRewriting(compile(source, path, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit), path)
    code: CodeType = compile(ast.Interactive(rewriting.tree.body), path, mode, flags, dont_inherit)
    return code


def import_durable(name: str) -> ModuleType:
    """The module rewritten, its tests to run as instances."""
    return _import_instances(name, is_tortured=False)


def import_tortured(name: str) -> ModuleType:
    """... whose await chains are rebuilt at every checkpoint."""
    return _import_instances(name, is_tortured=True)


def _import_instances(name: str, *, is_tortured: bool) -> ModuleType:
    from .instances import make_durable, try_our_tasks

    make_durable(name, is_tortured)
    module = import_rewritten(name)
    try_our_tasks(module)
    return module


IMPORTS: dict[str, Callable[[str], ModuleType]] = {
    NATIVE: importlib.import_module,
    PLAIN: import_rewritten,
    REWRITTEN: import_fast,
    DURABLE: import_durable,
    TORTURED: import_tortured,
}


def main(name: str, kind: str, report: str) -> None:
    """Run the tests of module ``name`` and write what ``comparison.Outcome`` is made of to the file ``report``."""
    # a shell's background job ignores SIGINT: tests that interrupt themselves would wait for ever
    signal.signal(signal.SIGINT, signal.default_int_handler)
    module = IMPORTS[kind](name)
    recorder = Recorder()
    unittest.defaultTestLoader.loadTestsFromModule(module).run(recorder)
    result: dict[str, Any] = {"outcomes": recorder.outcomes, "details": recorder.details}
    if kind in (DURABLE, TORTURED):
        from tests.harness.soft_torture import UnsavedDriver

        from .instances import left_out

        result |= {"counts": UnsavedDriver.counts, "left_out": left_out}
    Path(report).write_text(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
