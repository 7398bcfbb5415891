"""What programs call: the runtime, handles, and what is known from inside an instance.

``runtime`` runs instances, ``handle`` is one of them seen from outside, ``current`` the one that code belongs to,
``transaction`` a commit together with data of the user's own. A runtime on a Python that is not known begins with a ``trial``
of ``trial_program``.

Commands, and programs that embed what commands do, call the rest: ``program`` and ``session`` find and execute a program as the
command line runs it, ``tracebacks`` shows its errors, ``events`` sends to an instance from outside, ``rewritten_text`` and
``explained_file`` read a file.
"""
