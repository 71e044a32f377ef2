"""Relational schemas: SQL and DBML are read into `Schema`, of which one builder makes a blueprint."""
