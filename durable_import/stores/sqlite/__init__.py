"""The store in one SQLite file, which several processes of one machine may open.

``store`` is what users make, ``instances`` the full store in it; that hands work to ``connection``, which does what ``lives``,
``looking`` and ``messages`` say. ``owners`` has the rows of processes, ``columns`` what stands in rows; ``schema`` says whose
tables a file has. ``transaction`` is for users' own data.
"""
