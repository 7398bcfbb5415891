"""Classes that were made while a program ran, and what annotates definitions.

``classes`` saves a class by value, ``class_recipes`` enums, named tuples and dataclasses by what made them; ``annotations`` and
``type_parameters`` are for what is evaluated late.
"""
