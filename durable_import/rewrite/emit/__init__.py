"""The two variants of a rewritten function: ``fast`` runs, ``resume`` goes on where a saved frame stands."""
