"""Whether generated Python tests earn their place, found by running them in the sandbox.

`programs` holds what runs inside; `job` and `report` are exchanged with it; `sandbox_verifier` calls it.
"""
