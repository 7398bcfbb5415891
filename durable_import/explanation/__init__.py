"""Which awaits of a module are checkpoints, without running it: ``points`` tells for functions, ``callees`` finds what they call."""
