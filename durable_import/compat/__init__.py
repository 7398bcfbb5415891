"""The original library's surface: functions made durable one by one, and backends that keep their state and events.

``program`` makes a function durable and calls it, in the ``shared_runtime`` of a ``backend``; ``call_stack`` is the data model
of what is saved, ``transformer`` the rewriter as a transformer of trees.

Rejected: compiling only the function that is made durable, from its own source. What it calls would be steps, its closure's
cells would be others than those of its siblings, and tracebacks would name a copy.
"""
