"""What a parcel, a shop and an incident are, and what may follow what; without I/O."""
