"""`make bench`: ratios, side by side in one run. No number here is asserted anywhere."""
