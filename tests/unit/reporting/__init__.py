"""Pages and estimates."""
