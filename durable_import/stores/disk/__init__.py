"""The store in a folder: a file for each instance, to be looked at and copied."""
