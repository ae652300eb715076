"""Tasks that share resources: a program between what gets its resources ready and what follows."""
