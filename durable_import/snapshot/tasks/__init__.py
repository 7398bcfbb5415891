"""Tasks and what they run.

``tasks`` saves them by path; ``stacks`` reads the stack of each once for a snapshot; ``frames`` is for frames of rewritten
code, ``foreign`` and ``foreign_generators`` for what of other code can be saved. ``futures`` has callbacks and timers too,
``contexts`` the context variables, ``loops`` the loop they all belong to.
"""
