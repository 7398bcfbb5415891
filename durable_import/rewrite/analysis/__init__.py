"""What the passes ask about a tree: names and scopes, places, where it suspends, how deep blocks are nested."""
