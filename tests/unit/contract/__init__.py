"""The contract: its shape, its reader, its compatibility."""
