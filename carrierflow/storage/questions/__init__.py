"""What auditors ask, as SQL: each module answers one question of the same name in `audit`."""
