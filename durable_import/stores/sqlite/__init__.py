"""The store in one SQLite file, which several processes of one machine may open.

``store`` is what others use; it hands work to ``connection``, which does what ``rows`` says; ``schema`` says whose tables a
file has. ``transaction`` is for users' own data.
"""
