"""What a checkpoint cannot have in it as it is: it is opened again on resume, or it holds.

``table`` and ``kinds`` say what an object is: reopenable, saved, or something that holds. Of reopenable ones ``noting`` notes the
calls that make and open them, in ``notes``, by functions that get other code in place (``wrapping``). ``opening`` makes these
calls again while a snapshot is read, and leaves what is open when an instance is suspended.

A hold is a time in which an instance is not saved: a block that holds is open (``blocks``), or an object is in use (``in_use``).
The block of a response that has been read to its end holds no more; in a snapshot something that does nothing takes its place
(``spent``).
An instance is one graph of objects, so one hold holds all of it; what its tasks do meanwhile runs again after a crash, from the
last commit on. Where many tasks hold for a short time each, one holds at nearly every moment: ``doors`` lets tasks wait before
their next block, so that now and then none does.

Rejected: to set wrappers as attributes of modules and classes (who has imported a function before would have the old one); doors
that close at a fixed interval (one long hold among short ones, and all wait for most of the time); a door for each task group
(the state is one graph, nothing is gained); waiting for a moment in which no block is open (with 20 tasks there is none).
"""
