"""What every rule stands on: resources, the index over them, objectives, results, and the judge that runs the rules."""
