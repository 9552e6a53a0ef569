"""What the agent knows, in forms others read."""
