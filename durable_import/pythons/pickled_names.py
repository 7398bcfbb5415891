"""What the names in pickles mean, for those who read them without loading them."""

from __future__ import annotations

from typing import Any

from .names import private

IMPORT_MAPPING: dict[str, str] = private("_compat_pickle.IMPORT_MAPPING")
NAME_MAPPING: dict[tuple[str, str], tuple[str, str]] = private("_compat_pickle.NAME_MAPPING")
EXTENSIONS: dict[int, Any] = private("copyreg._inverted_registry")  # by number: module and name
