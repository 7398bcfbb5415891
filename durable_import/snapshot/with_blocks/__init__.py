"""``with`` blocks that are open: ``managers`` says whose manager is saved, and enters the others again."""
