"""The policy pack: every rule by its cases, and what holds for all of them."""
