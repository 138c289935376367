"""The four ways to grow trees, each behind the same few names.

Each module has one class, a `Trees`: the value that a library learned, and what the
estimators ask of it.
"""
