"""The original library's surface: functions made durable one by one, and backends that keep their state and events.

Rejected: compiling only the function that is made durable, from its own source. What it calls would be steps, its closure's
cells would be others than those of its siblings, and tracebacks would name a copy.
"""
