"""The commerce platforms, each behind the port; the only home of `requests`."""
