"""Tests of what makes the local cloud live."""
