"""Random programs with awaits anywhere an expression may stand, to compare native and durable runs."""
