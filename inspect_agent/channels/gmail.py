"""Alerts by mail through Gmail; its password is an app password, not that of the account."""

from __future__ import annotations

from collections.abc import Mapping

from inspect_agent.channels.email import Email
from inspect_agent.model.message import Message


class Gmail:
    """As email, with the server known."""

    params = tuple(item for item in Email.params if item.name != "smtp_server")
    incidents = False

    def __init__(self, params: Mapping[str, str]) -> None:
        username = params.get("username", "")
        if not username:
            raise ValueError("username: Gmail takes mail from its users alone")
        whole = username if "@" in username else f"{username}@gmail.com"
        self._email = Email({**params, "smtp_server": "smtp.gmail.com", "username": whole})

    def send(self, message: Message) -> str:
        """Hands the letter to Gmail."""
        return self._email.send(message)
