"""Child processes with limits, in which text and documents of others are parsed: their pool, calls and end.

The program of a child is a module whose `main` calls `program.serve` with its functions and limits; the
service calls them through `ChildPool(module)`.
"""
