"""The command line: ``python -m durable_import run | send | show-rewritten | explain``."""
