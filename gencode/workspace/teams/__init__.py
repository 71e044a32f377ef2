"""Teams: members with roles, to whom projects and what is in them belong."""
