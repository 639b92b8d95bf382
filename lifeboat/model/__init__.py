"""Declare and decide: settings, objectives, timings, bounds, topology. Pure: no clock, no network, no Pulumi."""
