"""Git credentials: tokens by which the service reads users' repositories, and acts for them at Git hosts."""
