"""Modules that ``benchmarks.rewritten`` and ``benchmarks.importing`` load twice: as they are, and rewritten."""
