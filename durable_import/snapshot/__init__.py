"""From frames and everything they reach to authenticated bytes, and back.

``encoder`` makes snapshots, ``decoder`` reads one, ``payload`` says what is in it and how it lies in a store. ``pickler``
writes its objects, by the ``table`` of reducers and the ``references`` to what is found by name, with ``prelude`` at the
beginning; ``unpickler`` reads them, in a ``load_context`` that ends with the reading. ``diagnose`` finds what cannot be saved,
``unsavable`` says it. What the format says: ``names`` (functions and classes of ours), ``frame_places`` (where a frame stands),
``library`` (the same in asyncio of another Python), ``former_names`` (format 4).

The rooms: ``tasks`` with their frames, ``reducers`` for objects of each kind, ``iterators``, ``definitions`` (local functions
and classes), ``module_data``, ``with_blocks``, ``incremental`` (what has changed is written), ``sealing``.

Rejected designs:

- Pickling bytecode of functions: bound to one Python version, blind to changed code.
- Functions of ours by their modules, frames by the rewriter's labels (until format 4): a file that moves, or a change of the
  rewriter, would strand every stored snapshot.
- Seeding the unpickler's memo: the C implementation forgets what is assigned.
- ``persistent_id`` for module-level objects: a call for each object, of any type.
"""
