"""Seeded chaos: a sweep, a schedule of faults, and the questions that must have the same answers afterwards."""
