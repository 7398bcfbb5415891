"""``python -m durable_import``."""

from .cli.main import main

raise SystemExit(main())
