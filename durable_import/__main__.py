"""``python -m durable_import``."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing has begun yet: Ctrl-C needs no traceback of our imports

from .cli.main import main

raise SystemExit(main())
