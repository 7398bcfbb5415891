"""Functions and classes that were made while a program ran, and what annotates definitions.

``functions`` saves those of rewritten code by their places, ``foreign_functions`` others that no name leads to. ``classes``
saves a class by value, ``class_recipes`` enums, named tuples and dataclasses by what made them; ``annotations`` and
``type_parameters`` are for what is evaluated late.
"""
