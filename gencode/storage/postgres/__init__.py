"""A store in a PostgreSQL database, which several processes can use at the same time.

It needs the extra `cluster` and is imported only where it is used.
"""
