"""The passes of the compiler, in the order that ``compiler`` lists; each says what it assumes and what it guarantees.

First ``pauses``. Then ``normalise``, which takes its statements from ``simple_statements``, ``with_statements`` and
``try_statements``; these share ``statement``. Expressions are for ``lift``, comprehensions for ``comprehensions``, handlers of
``except*`` for ``except_star``; ``temporaries`` says which hidden variables live across a suspension, ``hidden_names`` what
they are called.
"""
