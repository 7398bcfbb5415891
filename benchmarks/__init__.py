"""Measurements, each a module to run: ``python -m benchmarks.gather``. Not part of the package."""
