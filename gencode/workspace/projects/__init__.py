"""Projects of teams and of persons, and the ownership of what belongs to a project."""
