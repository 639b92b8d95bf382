"""The second door: provider plugins that a real Pulumi CLI starts, for ``aws`` and ``random``."""
