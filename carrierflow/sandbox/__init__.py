"""Platforms that run on a laptop, for trying out and for tests."""
