"""Known secrets and their redaction from text; ownership and safe reading of files."""
