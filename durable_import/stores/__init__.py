"""Where snapshots live.

``base`` says what a store is; ``memory``, ``disk`` and ``sqlite`` are the embedded stores; ``url`` finds one by its
URL; ``contract`` is the test suite that every store passes, also a user's own.

Rejected:

- One connection per event loop, or work in the default executor: a slow disk would starve other users of the executor,
  and commits of many instances could not share one fsync. One thread per store groups them.
- Epochs per instance: after delete and start anew, a stalled owner's old epoch would be current again. Epochs count per
  store instead.
- State and lease in one row: SQLite writes whole rows, so each renewal would copy the snapshot.
- Locks of the operating system as the only proof of life: they do not survive a suspended process that must be fenced.
"""
