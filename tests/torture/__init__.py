"""Every program, its whole state saved, dropped and restored at every leaf, in one process."""
