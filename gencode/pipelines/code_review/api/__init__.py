"""Request, views and operations of `code_review`."""
