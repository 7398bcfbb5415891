"""Stores of ours over what they are built on: files, databases, servers, other processes."""
