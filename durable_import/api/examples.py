"""The programs in ``examples/``: in a checkout they lie beside the package, where it is installed they are in it."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

from ..ours import FOLDER


def examples_folder() -> Path:
    """Where they are. Raises FileNotFoundError where this installation has none."""
    for folder in (Path(FOLDER) / "examples", Path(FOLDER).parent / "examples"):
        if (folder / "order_flow.py").is_file():
            return folder
    raise FileNotFoundError("this installation has no examples")


def examples() -> dict[str, str]:
    """What each is about, by name. Raises FileNotFoundError."""
    folder = examples_folder()
    scripts = {path.stem: path for path in folder.glob("*.py") if path.stem != "__init__"}
    services = {path.parent.name: path for path in folder.glob("*/app.py")}
    return {name: _summary(path) for name, path in sorted((scripts | services).items())}


def copy_example(name: str, to: Path) -> list[Path]:
    """Copy an example, and the folders that it speaks of, into a folder; gives the files that were written.

    Raises FileNotFoundError, FileExistsError where another file has the name (then nothing is written), and KeyError for no
    example's name.
    """
    folder = examples_folder()
    if name not in examples():
        raise KeyError(name)
    script = folder / f"{name}.py"
    files = [script] if script.is_file() else _files_in(folder / name)
    text = "".join(file.read_text() for file in files)
    others = (each for each in folder.iterdir() if each.is_dir() and re.search(rf"\b{each.name}\.\w+:", text))
    files += [file for each in others for file in _files_in(each) if file not in files]
    places = {file: to / file.relative_to(folder) for file in files}
    for file, place in places.items():
        if place.exists() and place.read_bytes() != file.read_bytes():
            raise FileExistsError(f"{place} is there, and is another file")
    written = {file: place for file, place in places.items() if not place.exists()}
    for file, place in written.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    return list(written.values())


def _files_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.py"))


def _summary(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_bytes())) or "").partition("\n")[0]
