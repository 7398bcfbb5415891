"""From frames and all they reach to authenticated bytes, and back.

Rejected designs: pickling bytecode of functions (bound to one Python version, blind to changed code); seeding the
unpickler's memo (the C implementation forgets what is assigned); ``persistent_id`` for module-level objects (a call for
each object, of any type).
"""
