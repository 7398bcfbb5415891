"""The command line: ``python -m durable_import run | show-rewritten | explain``."""
