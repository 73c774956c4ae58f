"""The commands: thin layers over core. Each module is imported only when one of its commands runs."""
