"""The passes of the compiler, in the order that ``compiler`` lists; each says what it assumes and what it guarantees."""
