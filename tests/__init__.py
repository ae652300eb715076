"""Tests: `unit` is values in, values out; `integration` is the real program on a real machine."""
