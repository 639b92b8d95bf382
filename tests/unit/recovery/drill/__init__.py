"""The drill: pure parts, and the order of things in a played world."""
