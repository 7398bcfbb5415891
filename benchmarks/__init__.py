"""Measurements, not part of the package.

``python -m benchmarks`` measures every target of docs/performance.md: see ``benchmarks.__main__``. Two modules beside it are run
by themselves: ``python -m benchmarks.gather`` (what a step costs among many tasks) and ``python -m benchmarks.waiting``
(instances that wait for events).
"""
