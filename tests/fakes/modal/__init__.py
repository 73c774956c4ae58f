"""A double of Modal's servers, on loopback, that the vendor's own SDK talks to; see ``modal_server.py``."""
