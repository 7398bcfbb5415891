"""Each part by itself, in folders named after the rooms of the package."""
