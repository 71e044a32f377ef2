"""The service and software that others wrote: `make peers`. Left out of `make test`, since it installs much.

A module `test_X` needs the packages of requirements_X.txt or package.json, and is skipped without them.
"""
