"""The ledger inside a Django project: `joined()` records in Django's own transactions.

Put `carrierflow.integrations.django` into `INSTALLED_APPS`, and what is to be set into a
dictionary `CARRIERFLOW` in Django's settings.
"""

from carrierflow.integrations.django.project import app, joined


__all__ = ["app", "joined"]
