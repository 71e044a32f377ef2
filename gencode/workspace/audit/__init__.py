"""The audit log: who changed what, in the same transaction, in a chain that proves itself."""
