"""Git hosts: creating a repository, proving that it is ours, pushing a commit."""
