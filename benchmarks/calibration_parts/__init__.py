"""The parts of the calibration table; see ``benchmarks/calibration.py``."""
