"""Any model behind an OpenAI-compatible chat completions API."""
