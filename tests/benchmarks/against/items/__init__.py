"""What is measured: a module for each item, and in it `opened`, the measuring of one checkout."""
