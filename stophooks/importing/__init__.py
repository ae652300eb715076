"""Other programs' configurations as ours: a module for each of them."""
