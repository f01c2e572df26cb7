"""What is kept: tables, and one function for each statement."""
