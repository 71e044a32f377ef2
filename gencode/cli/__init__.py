"""The command line: a client of the HTTP API that knows no kind of task; kinds register what they add."""
