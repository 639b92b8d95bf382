"""The first door: a Pulumi program run in this process against the local cloud, with no CLI."""
