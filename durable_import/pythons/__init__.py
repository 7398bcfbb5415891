"""What differs between versions of Python and between systems, and the private names of the standard library that are used.

Nothing here knows of the rest of the package. What a Python newer than any known may have changed is looked at before it is
used: what is not as known is refused, in one sentence, and never guessed.
"""
