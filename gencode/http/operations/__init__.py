"""What each address takes and answers, in the words of OpenAPI."""
