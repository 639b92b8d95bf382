"""The `lifeboat` command: parse, call, print. Heavy imports are inside the commands, so that help is instant."""
