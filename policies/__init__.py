"""The policy pack: what a stack's resources must keep so that it survives the loss of a region."""
