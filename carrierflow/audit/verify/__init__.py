"""Whether the history is what was written: in the database, and in an export without one."""
