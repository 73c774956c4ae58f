"""The literature: searching it, and looking up again what is to be cited."""
