"""Stand for the outside world, so that the examples can be tried, and watched from there."""
