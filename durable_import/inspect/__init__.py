"""Looking at instances without running anything of them: no import, no class, no function of the program.

``pickles`` reads a snapshot into a ``graph`` of plain nodes; ``state`` finds the tasks in it, ``frames`` their calls. ``shapes``
says what each node stands for (``standard``: of the standard library), ``values`` puts that into bounded words. ``waits`` says
what a task waits for, ``lines`` where it stands in the text of its function, and ``stack`` is all of that for people.

Rejected designs:

- Loading a snapshot with stand-ins for classes: the C unpickler calls what it is given, hashes what becomes a key, and trusts
  lengths; a reader of its own is as short, and cannot be made to do anything.
- Cutting a value while it is read: what refers to what would be lost; the graph is read whole, and only its description is cut.
"""
