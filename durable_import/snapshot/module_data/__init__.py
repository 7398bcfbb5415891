"""What modules hold at module level, as far as it belongs to the state of a program, and what is found there by name."""
