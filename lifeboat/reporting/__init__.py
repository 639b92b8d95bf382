"""Pages from a design: what was decided and why, what stands where, what it costs."""
