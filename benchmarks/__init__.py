"""Measurements of the methods on simulated worlds. Each module says how to run it."""
