"""The kind `code_diff`: compares two branches or commits of a user's repository."""
