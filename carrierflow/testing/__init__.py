"""What ships for tests that are not ours: the contract that judges a platform.

Nothing else of carrierflow imports this, and none of it imports pytest.
"""
