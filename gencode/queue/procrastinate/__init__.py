"""A queue of several processes in PostgreSQL, by procrastinate. Only imported where DATABASE_URL is set."""
