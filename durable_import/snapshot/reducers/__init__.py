"""How objects of each kind are saved and made again, a file for each kind; ``table`` says which is for which type."""
