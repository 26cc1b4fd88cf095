"""Reports as pages: HTML and SVG made from plain data, complete in one file.

Nothing here reads or asks anything. A page loads nothing from anywhere, runs no script, and says
so in its own content security policy.
"""
