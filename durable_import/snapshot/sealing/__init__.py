"""Seals on snapshots, and the keys for them: nothing is opened that was not sealed with a key of the process."""
