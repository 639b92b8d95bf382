"""The policy pack without a Pulumi CLI: what it judges, and how its findings are shown."""
