"""How a project is run in each environment: settings, secrets, and the files that Compose reads."""
