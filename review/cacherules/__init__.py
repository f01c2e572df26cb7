"""Judging answers by the cache rules of a site: what headers permit, what was seen, what was tried."""
