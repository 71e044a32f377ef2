"""Values that every package shares: tasks, events, errors, principals, file trees."""
