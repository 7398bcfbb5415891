"""The store for many machines: instances in a PostgreSQL database.

``store`` is what others use, ``instances`` its full store. ``pipeline`` does the works of ``lives``, ``claiming``, ``looking``
and ``messages`` in a thread, many in one transaction; ``owners`` are the blocking calls of a keeper, ``announcements`` wake those
who wait, ``transaction`` is for users' own data; each has connections of its own (``session``), at an ``address``, to tables that
``schema`` makes and ``columns`` translates. ``failures`` has words for what goes wrong. ``driver`` loads psycopg, in one place.

Rejected:

- An AsyncConnection for commits: its pipeline costs a fourth more than a thread's, a pool with a connection each three times.
- One ``unnest`` statement for many commits: a pipeline costs the server less, and tells of each whether it was fenced.
- NOTIFY in the transaction that changes something: all who notify wait for one lock of the server.
"""
