"""Instances at run time: their drivers, leases, and the public model of their call stacks.

Rejected designs: finding the coroutine of a running frame by ``gc.get_referrers`` (time grows with the heap), so a
function that becomes an instance is called again with its arguments; awaiting leaves in the driver instead of below the
frame (their exceptions would miss the context of the handler that they run in).
"""
