"""One life of one instance: its lease, its driver, and its commits."""
