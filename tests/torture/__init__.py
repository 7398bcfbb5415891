"""Every program, its whole state saved, dropped and restored at every step, in one process."""
