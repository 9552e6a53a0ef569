"""Delivers messages over channels; the notify worker alone may import it."""
