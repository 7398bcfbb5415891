"""Which awaits of a module are checkpoints, without running it: ``points`` reads functions, ``callees`` finds what they call."""
