"""Services: an engine supervises them, and hooks run around what it does.

`base` is what every engine answers to, `order` which steps an action has, `action` takes them,
`watching` follows what nobody asked for, `occasions` is what hooks are told and inherit. An engine
is a module of its own: `compose` with its helpers `described`, `composetool` and `transitions`.
"""
