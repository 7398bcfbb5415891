"""The import hook: which modules are rewritten, when, where their code is cached, and the code of modules that are imported
already.

``install`` puts ``finder`` into ``sys.meta_path``. It asks ``marker`` whether a source is marked, and gives it a ``loader``,
which executes rewritten code, from the ``cache`` if that has it. ``code_table`` knows each code object that is rewritten.
``switch`` says whether there is a runtime; when one begins, ``exchange`` gives modules that were imported before it their fast
variant. ``in_place`` rewrites a module after its import, ``unrewritten`` finds the sources of code that was not rewritten, both
by ``live_code``; ``cells`` warns of a marked cell in a notebook.

Rejected: cached bytecode that is checked by the time of the source. That saves 20 us a module, and is wrong where times are.
"""
