"""The kind `chat`: a task writes the answer to a message of a conversation."""
