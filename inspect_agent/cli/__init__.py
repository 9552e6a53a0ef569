"""The command lines: inspect-agent and inspectctl."""
