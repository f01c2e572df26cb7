"""Policies: what a profile or an owner demands of headers, what is waived, and the state that was approved. Pure."""
