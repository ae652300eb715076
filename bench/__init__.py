"""Measures stophooks against its targets and its neighbours: ``python -m bench``.

Figures come in pairs, taken in turns in one run, and are told as ratios: milliseconds belong to a
machine and to an hour. Nothing here is a test; a slow result is a result.
"""
