"""A kind of task that lives in this folder alone: three stages, no model and no repository."""
