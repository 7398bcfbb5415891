"""What programs call: the runtime, handles, and what is known from inside an instance.

Commands, and whoever embeds what they do, call the rest: ``program`` and ``session`` find and execute a program as the command
line runs it, ``events`` sends to an instance from outside, ``rewritten_text`` and ``explained_file`` read a file.
"""
