"""One module per kind of source; each yields Arrow record batches for a window."""
