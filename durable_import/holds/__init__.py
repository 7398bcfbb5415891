"""What keeps an instance from being saved for a time: open ``with`` blocks of libraries, and objects that cannot be brought back.

While something holds, nothing is committed: after a crash the program goes on from the last checkpoint, and what ran since then
runs again as a whole, as one step would.
"""
