"""The kinds of tasks that the engine runs, one package each."""
