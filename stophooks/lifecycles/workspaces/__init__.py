"""Workspaces: git worktrees of several repositories side by side, made and removed together.

`given` judges what is asked for, `record` is what is remembered of a workspace in its directory,
`create` makes one, `close` removes it, `found` finds all of them. `lost` says what a removal would
destroy: `index` what git was told not to look at, `submodules` what they have. `worktrees` adds and
removes worktrees, `git` runs git.
"""
