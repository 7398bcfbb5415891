"""The rewriter: from source text to code whose frames can be saved and resumed.

``compiler`` lists the passes in their order. ``analysis`` is what they ask about a tree, ``passes`` has one module for each,
which says what it assumes and what it guarantees, ``emit`` makes the fast and the resume variant of a function. What comes out
is a module as in ``rewritten``. Rewritten code calls the run time by names only (``analysis.names.INTRINSICS``, provided by
``frames.intrinsics``).

Rejected designs:

- Jumping into the middle of compiled code by a prologue in bytecode: native control flow at no cost, but the value stack
  differs between Python versions, and snapshots have to move between them.
- A state machine instead of native control flow: every ``try`` and ``with`` would have to be imitated, in fast code too.
- Replaying the history: determinism rules, and a cost that grows with the age of a program.
- Fast code that also runs without a runtime: 1.1 to 2.3 times the native time. Both variants in one function, chosen when it is
  entered: twice the bytecode to load, and the functions nested in it exist twice.
- Inlining asynchronous comprehensions: their variables' cells must be new in each run.
"""
