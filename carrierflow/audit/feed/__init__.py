"""The log as a feed: what happened, once and in order, for those who follow it."""
