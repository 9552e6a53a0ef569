"""Processes of their own for what may block or bloat; one JSON object a line over their pipes."""
