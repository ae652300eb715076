"""Whether a check has to run: its result may be known, or no file that it is for has changed.

`memo` decides, `key` is on what a result depends, `chosen` the files that a command is for,
`giving` hands them to it, `words` says why.
"""
