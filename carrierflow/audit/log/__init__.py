"""The log that proves the history: every entry in its place, under signed checkpoints."""
