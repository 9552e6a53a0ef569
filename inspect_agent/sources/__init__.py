"""Where metrics come from, one file per family."""
