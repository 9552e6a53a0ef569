"""A test authority, trusted by this process while a test runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.ca import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority that nobody trusts yet."""
    return Authority(tmp_path)


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The authority, trusted as OpenSSL is told: by its environment."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
    return authority
