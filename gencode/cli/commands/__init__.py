"""The commands that work for tasks of every kind. Each module is imported when its command runs."""
