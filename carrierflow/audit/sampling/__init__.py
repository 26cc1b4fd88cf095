"""Sampling as auditors do it: how many, which ones, and what follows from what was found."""
