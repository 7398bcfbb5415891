"""A program as ``python`` would run it: a script, a folder, an archive or a module, found by its name, as ``__main__``."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any
from zipimport import ZipImportError, zipimporter

from ..hook.finder import spec_is_marked
from ..hook.install import install
from ..hook.loader import DurableSourceLoader, RewritingLoader, rewriting_loader, without_rewriting
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
    folder: str | None  # what stands first in sys.path because of it: with -P and -I no folder does, but an archive
    package: str | None
    spec: ModuleSpec | None


class ProgramError(Exception):
    """A target names no program that could run durably."""


class UnmarkedError(ProgramError):
    """The program has no mark. ``file``: where it is to be put. ``near``: which comment is nearly the mark, if one is."""

    def __init__(self, file: str, near: str) -> None:
        told = f": {near}" if near else ""
        super().__init__(
            f"{file} is not marked durable{told}. Put the comment `# durable: on` on its first line, above the imports, so that "
            "its async functions are saved at every await; `run --mark` does that"
        )
        self.file = file


def find_program(target: Target) -> Program:
    """The program that a target names. Raises ProgramError when there is none, UnmarkedError when it is not marked."""
    program = _find_module(target.name) if target.is_module else _find_script(target.name)
    near: list[str] = []

    def suspect(head: bytes) -> None:
        from ..hook.near_misses import near_miss  # rarely needed

        near.append(near_miss(head))

    if not _is_marked(program, suspect):
        raise UnmarkedError(program.file, "".join(near))
    return program


def _is_marked(program: Program, suspect: Callable[[bytes], object]) -> bool:
    if program.spec is not None and not isinstance(program.spec.loader, SourceFileLoader):
        return spec_is_marked(program.spec, suspect)
    if not os.path.isfile(program.file):
        raise ProgramError(f"cannot open {program.file!r}: there is no such file")
    return file_is_marked(program.file, suspect)


def _find_script(name: str) -> Program:
    path = os.path.join(os.getcwd(), name)  # not normalised: what plain python gives as __file__
    if os.path.isdir(path):
        file = os.path.join(path, "__main__.py")
        return Program(file, name, path, "", ModuleSpec("__main__", SourceFileLoader("__main__", file), origin=file))
    spec = _find_in_archive(path)
    if spec is not None and spec.origin:
        return Program(spec.origin, name, path, "", spec)
    return Program(path, name, _unless_safe(os.path.dirname(os.path.realpath(path))), None, None)


def _find_in_archive(path: str) -> ModuleSpec | None:
    """The ``__main__`` of an archive, as ``zipapp`` makes them; None if it is no archive."""
    try:
        return zipimporter(path).find_spec("__main__")
    except ZipImportError:
        return None


def _unless_safe(folder: str) -> str | None:
    """A folder that python looks into for modules unless it was told not to, by -P, -I or PYTHONSAFEPATH."""
    return None if sys.flags.safe_path else folder


def _find_module(name: str) -> Program:
    folder = _unless_safe(os.getcwd())
    try:
        with _first_in_path(folder):
            spec = _find_spec(name)
            if spec is not None and spec.submodule_search_locations is not None:
                spec = _find_spec(name + ".__main__")
    except (ImportError, ValueError) as error:
        raise ProgramError(f"cannot find module {name!r}: {error}") from error
    if spec is None or not spec.origin:
        raise ProgramError(f"cannot find module {name!r} (or its __main__)")
    return Program(spec.origin, spec.origin, folder, spec.parent, spec)


def _find_spec(name: str) -> ModuleSpec | None:
    """What is found for a module, as it is; the packages that it is in are imported before, and are parts of the program."""
    package = name.rpartition(".")[0]
    if package:
        install()
        importlib.import_module(package)
    with without_rewriting():
        return importlib.util.find_spec(name)


@contextmanager
def _first_in_path(folder: str | None) -> Iterator[None]:
    if folder is None:
        yield
        return
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        del sys.path[0]


def set_arguments(program: Program, arguments: list[str]) -> None:
    """Let ``sys.argv`` and ``sys.path`` be those of the program; they are those of ``python -m durable_import``."""
    sys.argv = [program.argv0, *arguments]
    if not sys.flags.safe_path:
        del sys.path[0]
    if program.folder is not None:
        sys.path.insert(0, program.folder)


def default_instance_id(target: Target, program: Program) -> str:
    """A name for the run of a program, from its file and its arguments."""
    identity = "\0".join([os.path.realpath(program.file), *target.arguments])
    name = target.name if target.is_module else Path(program.file).stem
    return f"{name}-{hashlib.sha256(identity.encode('utf-8', 'surrogateescape')).hexdigest()[:10]}"


def make_main(program: Program) -> tuple[ModuleType, RewritingLoader]:
    """The module ``__main__`` of a program, and what gives its code; its imports are rewritten from now on."""
    install()
    module = ModuleType("__main__")
    spec = program.spec or ModuleSpec("__main__", None, origin=program.file)
    if program.spec is None or isinstance(program.spec.loader, SourceFileLoader):
        loader: Any = DurableSourceLoader(spec, SourceFileLoader("__main__", program.file))
    else:
        loader = rewriting_loader(spec)
        if loader is None:
            raise ProgramError(f"{program.file} has no source that could be rewritten: its loader is {spec.loader!r}")
    module.__dict__.update(attributes_of_main(program.file, program.package, program.spec, loader))
    sys.modules["__main__"] = module
    return module, loader
