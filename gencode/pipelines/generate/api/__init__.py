"""How clients use the `generate` kind: its request, its operations below /api/v1, its views and tools."""
