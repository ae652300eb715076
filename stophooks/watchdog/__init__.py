"""Ends what a run leaves behind when the run itself was killed.

`guard` is the runner's side: it starts the watchdog and tells it what exists. The rest is the
watchdog, a process of its own: `main` waits, `families` ends host processes, `containers` removes
containers, `procs` reads and signals processes. The watchdog waits in less than 10 MB, so its
modules import almost nothing; that is why they neither use dataclasses nor share code with
`stophooks.process`.
"""
