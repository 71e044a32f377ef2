"""What this kind takes and shows over HTTP."""
