"""What the package takes from modules of the standard library under private names; ``names`` says what each is for."""

from __future__ import annotations

import os
import warnings
from typing import Any

from .names import private

# asyncio
base_task_repr: Any = private("asyncio.base_tasks._task_repr")
base_task_get_stack: Any = private("asyncio.base_tasks._task_get_stack")
base_task_print_stack: Any = private("asyncio.base_tasks._task_print_stack")

# logging, signals
add_handler_reference: Any = private("logging._addHandlerRef")
handler_of_signal: Any = private("_signal.getsignal")

# classes
abc_init: Any = private("_abc._abc_init")
abc_dump: Any = private("_abc._get_dump")
slot_names: Any = private("copyreg._slotnames")
AutoDocstring: Any = private("dataclasses._AutoDocstring")
FIELD_CLASSVAR: Any = private("dataclasses._FIELD_CLASSVAR")
FIELD_SENTINELS: dict[str, Any] = {
    name: private(f"dataclasses.{name}") for name in ("_HAS_DEFAULT_FACTORY", "_FIELD", "_FIELD_CLASSVAR", "_FIELD_INITVAR")
}

# functions, pickling
LruCache: Any = private("functools._lru_cache_wrapper")
CacheKey: Any = private("functools._HashedSeq") or tuple
KEYWORDS_BEGIN: Any = (getattr(private("functools._make_key"), "__defaults__", None) or [[None]])[0][0]  # in a cache's keys
PythonPickler: Any = private("pickle._Pickler")
PythonUnpickler: Any = private("pickle._Unpickler")

# managers, files
GeneratorManager: Any = private("contextlib._GeneratorContextManager")
AsyncGeneratorManager: Any = private("contextlib._AsyncGeneratorContextManager")
RedirectStream: Any = private("contextlib._RedirectStream")
Stream: Any = private("_io._IOBase")


def encoded_environment() -> Any:
    """What ``os.environ`` holds: it would decode each variable to be compared itself."""
    return os.environ._data  # type: ignore[attr-defined]


#: What shows warnings, under the names that ``catch_warnings`` keeps it by: its module does not have it meanwhile.
WARNINGS_SHOWN: dict[str, Any] = {
    "_showwarning": warnings.showwarning, "_showwarnmsg_impl": private("warnings._showwarnmsg_impl"),
}  # fmt: skip
