"""The end of a session: what the project says of it, and then everything that was left running.

`run` is the one sequence: `own` does the project's part, for which `script` and `compose` find
what there is where the configuration has no commands, and `rest` ends processes and removes
containers. `account` has all of it as values that can be kept.
"""
