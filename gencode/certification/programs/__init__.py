"""Programs that run in the sandbox, copied there as texts. They use the standard library;
`gencode_build_bodies` runs in the environment of the project. Nothing of the service imports them."""
