"""Nothing asks for it."""

raise RuntimeError("loaded, although nothing uses it")
