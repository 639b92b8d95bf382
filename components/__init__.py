"""What a stack is built of: one capability a module, arguments in, child resources, typed outputs.

Nothing here reads configuration or calls a cloud API.
"""
