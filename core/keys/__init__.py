"""Where keys come from and go to: environment, OS keyring, encrypted file, this session; never plain."""
