"""The core: one selectors loop that never blocks, one thread that commits."""
