"""Code that is tested, and its tests, read by syntax tree in a limited child: named functions, mutants of
Python functions, test functions, and the file without some of them. `reader` calls it from the service."""
