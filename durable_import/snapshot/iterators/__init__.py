"""Iterators of the interpreter and of ``itertools``, with what they have given out and what they still have to give.

``builtin`` is for those over containers, ``itertools_state`` for the others, with ``combinatorics`` and ``tee`` in Python where
none can be made natively; ``feeds`` is what restored ones go over. ``native_forms`` reads what Python 3.13 and earlier have
saved.
"""
