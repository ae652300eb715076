"""The real command line, real processes and a real Docker engine."""
