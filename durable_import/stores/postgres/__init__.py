"""The store for many machines: instances in a PostgreSQL database. ``driver`` loads psycopg, in one place."""
