"""The read side: what happened to a parcel, and whether the history is what was written."""
