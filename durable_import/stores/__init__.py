"""Where snapshots live.

``base`` says what a store is; ``memory``, ``disk`` and ``sqlite`` are the embedded stores, ``postgres`` is for many machines;
``url`` finds one by its URL; ``contract`` is the test suite that every store passes, also a user's own.

Rejected:

- One connection per event loop, or work in the default executor: a slow disk would starve other users of the executor,
  and commits of many instances could not share one fsync. One thread per store groups them.
- Epochs per instance: after delete and start again, a stalled owner's old epoch would be current again. Epochs count per
  store instead.
- State and lease in one row: SQLite writes whole rows, so each renewal would copy the snapshot.
- PostgreSQL: advisory locks or an open transaction as the claim. They end with the connection, not with the process, and a
  pooler or a short break of the network would take instances away from their owner.
- PostgreSQL: a counter of changes from a sequence. It would count before the change can be seen, and a reader would miss it.
- PostgreSQL: ids as keys. An index has no room for long ones; rows are found by a digest.
- Transactions of users on the store's own connection: the store could not renew a lease while one is open.
- Locks of the operating system as the only proof of life: they do not survive a suspended process that must be fenced.
"""
