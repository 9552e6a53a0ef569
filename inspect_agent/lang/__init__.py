"""Text to Config: the .inq language and inspect.conf."""
