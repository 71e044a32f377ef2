"""The checks of `gencode doctor`: settings, this machine, Git hosts and model APIs; none changes anything."""
