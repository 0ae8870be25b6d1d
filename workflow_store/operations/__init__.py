"""What is done to a whole store, from outside: upgrades of its server."""

from __future__ import annotations
