"""A service that does nothing, well."""

from __future__ import annotations

import signal

signal.pause()
