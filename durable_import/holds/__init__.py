"""What a checkpoint cannot have in it as it is: what is known of libraries' objects, and what is opened again on resume."""
