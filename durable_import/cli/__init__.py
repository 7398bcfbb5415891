"""The command line: ``python -m durable_import run | send | show-rewritten | explain``.

``main`` has the commands and their options; ``run``, ``send``, ``show`` and ``explain`` each do one, and speak as ``speech``
says.
"""
