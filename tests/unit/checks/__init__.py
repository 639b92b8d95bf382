"""What a check of the policy pack shows."""
