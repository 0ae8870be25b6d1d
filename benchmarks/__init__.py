"""Measurements: ``python -m benchmarks``, and ``python -m benchmarks.calibrate`` for the generated data itself."""
