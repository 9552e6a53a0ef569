"""From event to message to delivery."""
