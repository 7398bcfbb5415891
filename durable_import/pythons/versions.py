"""What the versions of Python differ in, as facts with names. Nobody else asks for the version.

What is newer than ``NEWEST`` is taken to be like it, until a runtime looks closer (``support``).
"""

from __future__ import annotations

import sys

Version = tuple[int, int]
OLDEST: Version = (3, 11)
NEWEST: Version = (3, 15)
THIS = sys.version_info[:2]

NAMED = ".".join(map(str, sys.version_info[:3]))  # as people write it
IS_KNOWN = OLDEST <= THIS <= NEWEST

#: How deeply the blocks of a function may be nested. The compiler of 3.12 crashes at more in a coroutine.
MAX_BLOCKS = 18 if THIS == (3, 12) else 20

#: Since 3.14 a comprehension takes one of these blocks of the function that it is inlined into.
COMPREHENSION_BLOCKS = 1 if sys.version_info >= (3, 14) else 0

#: Since 3.13 tracebacks see ``__iter__`` and ``__enter__`` at the expression they are called for, before at the statement.
PROTOCOL_AT_EXPRESSION = sys.version_info >= (3, 13)

#: Since 3.12 comprehensions are a part of the frame around them, where ``super()`` without arguments finds its own.
INLINES_COMPREHENSIONS = sys.version_info >= (3, 12)

#: Since 3.12 ``asyncio``'s helper that cancels and waits takes no loop: it asks for the running one.
KNOWS_ITS_LOOP = sys.version_info >= (3, 12)

#: Since 3.13 (gh-117407) a cancellation that is taken back is not delivered.
UNCANCEL_CLEARS = sys.version_info >= (3, 13)

#: Since 3.13 (PEP 667) the variables of a frame can be set by its ``f_locals``.
SETS_VARIABLES = sys.version_info >= (3, 13)

#: Since 3.12 type variables may have ``infer_variance``; there are ``type`` statements.
HAS_TYPE_STATEMENTS = sys.version_info >= (3, 12)

#: Since 3.13 type variables may have defaults.
HAS_TYPE_DEFAULTS = sys.version_info >= (3, 13)

#: Since 3.14 the fields of dataclasses have docstrings.
FIELDS_HAVE_DOCSTRINGS = sys.version_info >= (3, 14)

#: Since 3.14 the group that ``except*`` makes of an exception which is none has a traceback.
WRAPPED_HAS_TRACEBACK = sys.version_info >= (3, 14)

#: Since 3.14 each thread has one running task, kept in C, whichever of its loops is running; before, each loop had one.
ONE_TASK_A_THREAD = sys.version_info >= (3, 14)

#: Since 3.14 annotations are evaluated when somebody asks for them, before where the definition is.
LATE_ANNOTATIONS = sys.version_info >= (3, 14)
