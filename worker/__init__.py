"""How pages are fetched and runs are carried out: the Celery app, its tasks and the only HTTP to sites."""
