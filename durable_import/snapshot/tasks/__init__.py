"""Tasks and what they run: their stacks, frames of rewritten code and of foreign code, futures and contexts."""
