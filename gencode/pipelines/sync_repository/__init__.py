"""The kind `sync_repository`: brings the clone of a user's repository to what its host has."""
