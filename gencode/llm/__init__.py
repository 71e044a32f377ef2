"""Language models: the port, adapters, and a session that asks within a budget."""
