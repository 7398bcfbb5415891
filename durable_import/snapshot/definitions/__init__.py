"""Classes that were made while a program ran, and what annotates definitions."""
