"""The offline model as a reviewer: rules about added lines, of which each says that it is a rule."""
