"""What an embedder holds, and how it is put together."""
