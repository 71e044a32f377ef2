"""Git hosts: creating a repository through a host's API and pushing one commit to it."""
