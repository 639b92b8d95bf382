"""The command line, with fakes at the edges of the process only."""
