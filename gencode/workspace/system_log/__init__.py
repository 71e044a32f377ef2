"""The system log: warnings and errors of all processes, kept in the database and listed for admins."""
