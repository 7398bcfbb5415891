"""``python -m durable_import``, and the command ``durable``."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing has begun yet: Ctrl-C needs no traceback of our imports

from .cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
