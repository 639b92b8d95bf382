"""Tests without a cloud."""
