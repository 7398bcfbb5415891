"""An order service: see ``app`` for the routes, and ``workflows`` for what happens to an order."""

import durable_import

durable_import.install()  # before the first marked module is imported
