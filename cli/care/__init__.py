"""Database care: plans, indexes, rehearsals of migrations on copies of the real data."""
