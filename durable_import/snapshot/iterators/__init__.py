"""Iterators of the interpreter and of ``itertools``, with what they have given out and what they still have to give."""
