"""Holds: times in which an instance is not saved, because something is open or alive in it that could not be brought back.

An instance is one graph of objects, so one open block that holds (a transaction, a response that is being read) holds all of it;
what its tasks do meanwhile runs again after a crash, from the last commit on. Where many tasks hold for a short time each, one
is open at nearly every moment: ``doors`` lets tasks wait before their next block, so that now and then none is open.

What holds nothing is known by a table of libraries (``table``, ``kinds``): it is right when it is saved, or it is saved as the
call that made it and opened again.

Rejected designs: doors that close at a fixed interval (one long hold among short ones, and all wait for most of the time); a door
for each task group (the state is one graph, nothing is gained); waiting for a moment in which no block is open (with 20 tasks
there is none).
"""
