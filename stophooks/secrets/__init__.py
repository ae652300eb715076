"""Secrets: which values are some, how they are found at run time, and how they are masked."""
