"""Compiled numerics: plain arrays and scalars in, ``out`` filled, a status returned.

Nothing here raises, allocates labels or knows of a sweep; every loop is bounded.
"""
