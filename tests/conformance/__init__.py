"""CPython's own tests of the syntax that the rewriter touches, run natively and rewritten: what passes must still pass."""
