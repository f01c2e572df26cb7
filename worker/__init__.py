"""How pages are fetched and kept: the Celery app, its thin tasks, the slice, and the only HTTP to sites."""
