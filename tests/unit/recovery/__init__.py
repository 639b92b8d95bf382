"""Lease, wardens, runner, journal and drills, without a cloud."""
