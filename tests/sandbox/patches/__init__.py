"""One module of tests a module of patches: each patch's test bears its name and fails without it."""
