"""The local cloud: AWS's APIs on loopback, a provider behind two doors, and the life of the process that serves them.

Nothing that production runs imports this package.
"""
