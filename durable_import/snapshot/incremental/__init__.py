"""Snapshots of which a checkpoint writes what has changed.

``format_policy`` chooses between whole snapshots and those in segments. ``segments`` says what segments are and loads them;
``segment_saving`` finds those that may have changed, ``segment_pickler`` pickles one, ``ownership`` knows what belongs to
which, ``circles`` what has to be one. ``pieces`` cuts large whole snapshots.
"""
