"""Arguments too odd to be data, one module a service: `prepare` in the catalogue names a function here."""
