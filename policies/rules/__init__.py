"""The rules by subject: a module of checks, and beside it a YAML file with everything else about them."""
