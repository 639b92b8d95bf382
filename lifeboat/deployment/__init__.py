"""Deploying a stack with a real Pulumi CLI: site by site, or without a site that is lost."""
