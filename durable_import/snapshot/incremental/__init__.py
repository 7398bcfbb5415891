"""Snapshots in segments, of which a checkpoint writes those that changed."""
