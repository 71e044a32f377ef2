"""The workspace: relational resources of people, such as accounts. Needs the extra `workspace`."""
