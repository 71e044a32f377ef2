"""Whatever reads text from outside takes time in proportion to its length, whatever the text."""
