"""Keeps what a delivery carrier knows and what a commerce platform shows in agreement."""
