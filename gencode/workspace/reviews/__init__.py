"""Reviews across tasks: the findings of a subject that is reviewed again and again, and hunks that need not
be reviewed twice."""
