"""A small site of our own with good and bad headers, to see a real sweep in a minute."""
