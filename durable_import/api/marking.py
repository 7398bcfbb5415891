"""Putting the comment ``# durable: on`` into a file."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from ..hook.marker import source_is_marked, with_marker
from .program import ProgramError


def mark_file(path: str) -> None:
    """Mark a source file, which is replaced as a whole or left as it is. Raises ProgramError if that cannot be."""
    try:
        _mark(path)
    except (OSError, ValueError) as error:
        raise ProgramError(f"{path} cannot be marked: {error}") from error


def _mark(path: str) -> None:
    file = Path(os.path.realpath(path))
    source = file.read_bytes()
    if source_is_marked(re.sub(rb"(durable:[ \t]*)off", rb"\1on", source)):
        raise ValueError("it says `# durable: off`: change that line yourself")
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_bytes(with_marker(source))
        shutil.copymode(file, draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
