"""Measurements behind the sentences about speed; run all with ``python -m benchmarks``."""
