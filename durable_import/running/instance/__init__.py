"""One life of one instance.

From outside to inside: ``host`` is what it needs of the runtime; ``run`` is that life; ``lease`` is the right of its process to
the state in the store, ``reopening`` reads that, ``records`` what is kept there beside the snapshot, ``root`` is the coroutine
that it begins with, ``given`` the context variables and ``handed`` the objects that it gets from who begins it.
``driver`` runs its tasks, on top of ``commit``, which takes each ``checkpoint``; ``caller`` is the task that awaits it.
"""
