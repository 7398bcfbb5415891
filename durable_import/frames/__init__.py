"""Frames at run time: capturing suspended ones, building them again, dropping them, and what rewritten code calls."""
