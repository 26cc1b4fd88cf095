"""The carrier's connections to shops, from install to uninstall."""

from carrierflow.connections.registrar import Done, Registered, Registrar
from carrierflow.connections.shops import Connections


__all__ = ["Connections", "Done", "Registered", "Registrar"]
