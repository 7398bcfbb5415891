"""What modules have at module level, as far as it belongs to the state of a program, and what is found there by name.

``contents`` gathers the data and gives them back; ``modules`` says which data of a script these are, ``by_name`` what a name
leads to; ``mentions`` which names its code speaks of. ``module_names`` finds the names of objects, ``code_parts`` what belongs to
functions and classes, ``closures`` the captured variables of a script's functions; ``borrowed`` are objects that it shares with
other code, ``plain_classes`` those whose instances can be filled again. ``library_data`` is what has changed in libraries since
they were imported, told by ``fingerprints``; ``weak_data`` what weak dictionaries have of objects that the state holds
(``reached``), and dictionaries with ids as keys. ``process_state`` is what a program changes in its process.
"""
