"""Instances at run time: which of them live in a process, and their drivers and leases.

From outside to inside: ``registry`` has the instances that live in a runtime, of which they know what ``host`` says;
``dispatcher`` and ``heartbeat`` look after them. ``instance.run`` is one life of one of them, ``instance.lease`` its right to
the state in the store, ``instance.root`` the coroutine that it begins with; ``instance.driver`` runs its tasks, on top of
``instance.commit``, which takes each ``checkpoint``, and for ``instance.caller``, the task that awaits it.

Rejected designs: finding the coroutine of a running frame by ``gc.get_referrers`` (time grows with the heap), so a
function that becomes an instance is called again with its arguments; awaiting steps in the driver instead of below the
frame (their exceptions would miss the context of the handler that they run in).
"""
