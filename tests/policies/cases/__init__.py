"""The cases of every rule: a module for each module of rules, with `CASES` and, with a reason, what does not apply."""
