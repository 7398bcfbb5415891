"""Managers of open ``with`` blocks: which are saved, and which are entered again."""
