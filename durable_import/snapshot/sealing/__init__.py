"""Seals on snapshots, and the keys for them: nothing is opened that was not sealed with a key of the process.

``seal`` is for bytes, ``segment_seal`` for a snapshot and its segments.
"""
