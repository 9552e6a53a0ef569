"""Alert channels, one file each; they live in the notify worker."""
