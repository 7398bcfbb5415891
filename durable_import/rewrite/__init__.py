"""The rewriter and the import hook: from source text to code whose frames can be saved and resumed.

``compiler`` lists the passes; each pass is a module that says what it assumes and what it guarantees. Rewritten code calls
the run time by names only (``names.INTRINSICS``, provided by ``frames.intrinsics``).

Rejected designs:

- Jumping into the middle of compiled code by a prologue in bytecode: native control flow for nothing, but the value stack
  differs between Python versions, and snapshots have to move between them.
- A state machine instead of native control flow: every ``try`` and ``with`` would have to be imitated, in fast code too.
- Replaying the history: determinism rules, and a cost that grows with the age of a program.
- Fast code that also runs without a runtime: 1.1 to 2.3 times the native time. Both variants in one function, chosen when it is
  entered: twice the bytecode to load, and the functions nested in it exist twice.
- Cached bytecode that is checked by the time of the source: that saves 20 us a module, and is wrong where times are.
- Inlining asynchronous comprehensions: their variables' cells must be new in each run.
"""
