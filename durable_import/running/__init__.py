"""Instances at run time: their drivers, leases, and the public model of their call stacks.

From outside to inside: ``runtime`` is what programs call; ``residents`` are the instances that live in it, ``dispatcher`` and
``heartbeat`` look after them; ``instance`` is one life of one of them, ``lease`` its hold on the state in the store, ``root``
the coroutine that it begins with; ``driver`` runs its tasks, on top of ``committer``, which takes each ``checkpoint``, and for
``caller``, the task that awaits it.

Rejected designs: finding the coroutine of a running frame by ``gc.get_referrers`` (time grows with the heap), so a
function that becomes an instance is called again with its arguments; awaiting steps in the driver instead of below the
frame (their exceptions would miss the context of the handler that they run in).
"""
