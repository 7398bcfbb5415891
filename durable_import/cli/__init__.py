"""The command line: ``durable``, or ``python -m durable_import``.

``parser`` has the commands and their options, ``main`` what is called for each. All that look at instances or ask for things do
it as a client (``asking``), and print tables (``tables``) or one document (``api.documents``). They speak as ``speech`` says.
"""
