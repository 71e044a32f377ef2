"""From a plan to checked files: writing, continuing, validating, repairing."""
