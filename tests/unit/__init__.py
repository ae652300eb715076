"""Values in, values out: no process, no clock, no network."""
