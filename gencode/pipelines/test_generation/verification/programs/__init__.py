"""Programs that run in the sandbox, copied there as texts. They use the standard library and, if it is there,
pytest; Python 3.8 or later. Nothing of the service imports them."""
