"""Tasks of kind `parse_document`: the file of a requirement document becomes its text."""
