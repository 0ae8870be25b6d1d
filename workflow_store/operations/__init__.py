"""What is done to a whole store, from outside: upgrades of its server, tables, what was put aside."""

from __future__ import annotations
