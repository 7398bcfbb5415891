"""Which awaits of a module are checkpoints, told before it runs."""
