"""What the adapters of model APIs share: one attempt, its body within bounds, its errors."""
