"""What auditors ask: one question a module, with its SQL and the shape of its answer."""
