"""The web framework: routes and their declarations, responses, problems, event streams, middleware, the
server's connections."""
