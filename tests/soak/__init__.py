"""Runs of many cases or of full size, by hand: too long for every change. Linux only."""
