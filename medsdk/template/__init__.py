"""The package that `medsdk new` writes: a copier template, and the call that fills it."""
