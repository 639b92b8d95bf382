"""Rehearsals: scenarios, what clients measured, and the evidence."""
