"""Lifeboat: multi-region disaster recovery as code. The tool; the Pulumi program stands beside it at the top."""
