"""Rows that change, and what the log's entries say that they must be."""
