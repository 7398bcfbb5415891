"""What the passes ask about a tree.

``text`` (what a module does not mention need not be looked for), ``scopes``, ``places`` and ``annotations`` are about the
module; ``suspensions`` is about where a function suspends, ``node_paths`` and ``relative_paths`` about how snapshots name such
a place, ``nesting`` about how deep its blocks are. ``names`` has the names that rewritten code uses.
"""
