"""Which awaits of a module are checkpoints, before it runs: ``points`` reads functions, ``callees`` finds what they call."""
