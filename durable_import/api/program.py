"""A program as ``python`` would run it: a script, a folder or a module, found by its name, as the module ``__main__``."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType

from ..hook.install import install
from ..hook.loader import DurableSourceLoader
from ..hook.marker import file_is_marked
from ..pythons.modules import attributes_of_main


@dataclass(frozen=True)
class Target:
    """What to run: a path, or a module's name, and the arguments it sees."""

    name: str
    is_module: bool
    arguments: list[str]


@dataclass(frozen=True)
class Program:
    """A program that was found: what plain python would give its ``__main__`` and ``sys``."""

    file: str
    argv0: str
    folder: str  # sys.path[0]
    package: str | None
    spec: ModuleSpec | None


class ProgramError(Exception):
    """A target names no program that could run durably."""


def find_program(target: Target) -> Program:
    """The program that a target names. Raises ProgramError when there is none, or when it is not marked."""
    program = _find_module(target.name) if target.is_module else _find_script(target.name)
    if not os.path.isfile(program.file):
        raise ProgramError(f"cannot open {program.file!r}: there is no such file")
    if not file_is_marked(program.file):
        raise ProgramError(
            f"{program.file} is not marked durable. Put the comment `# durable: on` on its first line, above the imports, "
            "so that its async functions are saved at every await"
        )
    return program


def _find_script(name: str) -> Program:
    path = os.path.join(os.getcwd(), name)  # not normalised: what plain python gives as __file__
    if os.path.isdir(path):
        file = os.path.join(path, "__main__.py")
        return Program(file, name, path, "", ModuleSpec("__main__", SourceFileLoader("__main__", file), origin=file))
    return Program(path, name, os.path.dirname(os.path.realpath(path)), None, None)


def _find_module(name: str) -> Program:
    sys.path.insert(0, os.getcwd())
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(name + ".__main__")
    except (ImportError, ValueError) as error:
        raise ProgramError(f"cannot find module {name!r}: {error}") from error
    finally:
        del sys.path[0]
    if spec is None or not spec.origin:
        raise ProgramError(f"cannot find module {name!r} (or its __main__)")
    return Program(spec.origin, spec.origin, os.getcwd(), spec.parent, spec)


def default_instance_id(target: Target, program: Program) -> str:
    """A name for the run of a program, from its file and its arguments."""
    identity = "\0".join([os.path.realpath(program.file), *target.arguments])
    name = target.name if target.is_module else Path(program.file).stem
    return f"{name}-{hashlib.sha256(identity.encode('utf-8', 'surrogateescape')).hexdigest()[:10]}"


def make_main(program: Program) -> tuple[ModuleType, DurableSourceLoader]:
    """The module ``__main__`` of a program, and what gives its code; its imports are rewritten from now on."""
    install()
    module = ModuleType("__main__")
    spec = program.spec or ModuleSpec("__main__", None, origin=program.file)
    loader = DurableSourceLoader(spec, SourceFileLoader("__main__", program.file))
    module.__dict__.update(attributes_of_main(program.file, program.package, program.spec, loader))
    sys.modules["__main__"] = module
    return module, loader
