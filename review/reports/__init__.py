"""Reports as files: each module takes a Report and returns a text, the same text for the same report."""
