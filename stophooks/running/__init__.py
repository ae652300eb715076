"""What a run of an event's commands is made of, for the engine.

`base` is who watches it and keeps its output, `deadline` ends it, `order` says what waits for what
and `schedule` does it, `skips` says what is not run at all.
"""
