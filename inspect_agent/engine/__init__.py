"""Pure decisions: (state, readings, now) gives (state, decisions). No I/O, no clock."""
