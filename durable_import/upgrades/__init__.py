"""Code that changes while frames of it are in flight: where a frame goes on in the text of today.

``texts`` reads a function as it was and as it is: its suspensions, each with what is called there and the blocks around it;
``callees`` says what an await calls; ``align`` pairs the suspensions of two texts; ``plan`` says where a frame goes on and under
which names its hidden variables are kept there, or why it cannot. ``binding`` knows which variables may be bound. ``decision``
is all of that, for who loads a state and for who only looks at one; ``on_disk`` is the program of today as its files say it,
without an import; ``misfits`` what code of then needs of it in vain, and ``written`` what its classes need of saved objects.
``renames`` has the new names that the program has said; all others ask it.

A frame moves only where its place is the same in exactly one way. All pairs that are in any best alignment are looked at, not
only those of one: the best order alone picks the wrong one of two equal branches. Labels and lines are not looked at.
"""
