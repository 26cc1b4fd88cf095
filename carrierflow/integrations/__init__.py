"""Inside a host's framework: its settings, its transactions, its ways to run and to show things."""
