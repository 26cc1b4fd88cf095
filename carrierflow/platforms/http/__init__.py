"""HTTP as every platform is asked: one request, its reply, and what to make of it."""
