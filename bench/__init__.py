"""Benchmarks: figures beside the budgets of docs/architecture.md. No test depends on them."""
