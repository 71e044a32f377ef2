"""The composition root: settings become running parts."""
