"""The usage of model calls: by user, model, kind of task and month, and by model config for its limit."""
