"""Recording: events in, verdicts out, and the history that comes of them."""
