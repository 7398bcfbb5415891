"""Frames at run time: suspended ones are captured, built again, and dropped; and what rewritten code calls.

``intrinsics`` has every name that rewritten code calls; ``step`` is what an await of foreign code becomes, ``except_star`` the
state of such a statement, ``refusal`` the error of strict mode. ``capture`` reads a frame, ``liveness`` says which of its
variables are still read, ``restore`` builds one, ``discard`` drops one, ``restart`` makes a coroutine again that has not begun.
``awaiting`` knows what stands behind the iterator of an await. ``ambient`` is the runtime and the instance that code belongs
to, ``signals`` has what unwinds frames, ``hiding`` keeps ours out of tracebacks.
"""
