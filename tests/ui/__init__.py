"""The page over the instances of a store, and the same by HTTP."""
