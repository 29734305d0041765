"""Measurements of methods against known truth; run as ``python -m benchmarks.<name>``."""
