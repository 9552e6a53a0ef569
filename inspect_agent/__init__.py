"""inspect-agent: a rule-based monitoring agent for one machine and its services."""

__version__ = "0.1.0"
