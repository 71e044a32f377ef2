"""The index in a PostgreSQL database, for several processes (extra `cluster`)."""
