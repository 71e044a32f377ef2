"""Accounts: users with roles, passwords, and sessions whose refresh tokens rotate."""
