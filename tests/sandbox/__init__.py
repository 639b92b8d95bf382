"""The local cloud: gateway, patches, catalogue, provider, doors."""
