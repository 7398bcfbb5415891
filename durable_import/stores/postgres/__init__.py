"""The store for many machines: instances in a PostgreSQL database.

``store`` is what others use; ``connection`` does its work, with ``rows``, at an ``address``; ``watchdog`` ends what takes too
long. ``listener`` wakes those who wait, ``transaction`` is for users' own data. ``driver`` loads psycopg, in one place.
"""
