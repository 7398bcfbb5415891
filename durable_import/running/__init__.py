"""Instances at run time: which of them live in a process, and what looks after them.

From outside to inside: ``registry`` has the instances that live in a runtime; ``dispatcher`` and ``keeper`` look after them,
``telemetry`` and ``sources`` note what they do and what code they run; ``validation`` tells callers of their mistakes.
``instance`` is one life of one of them.

Rejected designs: finding the coroutine of a running frame by ``gc.get_referrers`` (time grows with the heap), so a
function that becomes an instance is called again with its arguments; awaiting steps in the driver instead of below the
frame (their exceptions would miss the context of the handler that they run in); taking an owner for dead when the time that its
row names has passed (a clock that jumps, or a store that was away, would bury all); telling instances from a renewal that they
are lost (one that ends meanwhile would be taken for lost): they learn that when they commit.
"""
