"""The hub over several processes that share a PostgreSQL database. Needs the extra `cluster`."""
