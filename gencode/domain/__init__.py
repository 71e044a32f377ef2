"""Values that every part of gencode speaks in: tasks, events, errors, principals, file trees. It imports nothing else of ours."""
