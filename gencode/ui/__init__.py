"""The page: static files and the handler that serves them."""
