"""For those who test: the contract that every store passes, also a user's own."""
