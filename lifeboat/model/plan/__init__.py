"""The plan: everything that has to happen for the other site to take over, and in which order."""
