"""The log as files that prove themselves, and as a spreadsheet."""
