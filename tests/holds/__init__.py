"""What holds do to an instance as a whole."""
