"""AWS capabilities. Every regional child takes its site's provider; logical names carry the region, never a role."""
