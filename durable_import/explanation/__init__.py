"""Which awaits of a module are checkpoints, without running it: ``points`` goes through functions, ``callees`` finds calls."""
