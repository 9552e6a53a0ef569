"""Service managers, one file each."""
