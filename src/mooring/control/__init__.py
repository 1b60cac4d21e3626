"""Wishes into workloads: models, services, keys and their stories in a database, and what makes them come true."""
