"""What modules have at module level, as far as it belongs to the state of a program, and what is found there by name.

``contents`` gathers the data and gives them back; ``modules`` says which data of a script these are, and what a name leads to;
``module_names`` finds the names of objects, ``closures`` the captured variables of a script's functions. ``process_state`` is
what a program changes in its process.
"""
