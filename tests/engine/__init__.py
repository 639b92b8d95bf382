"""Both doors: the same programs in process and on a real engine."""
