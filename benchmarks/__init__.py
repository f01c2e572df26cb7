"""Measurements of headersweep; docs/benchmarks.md says how to run them and what they mean."""
