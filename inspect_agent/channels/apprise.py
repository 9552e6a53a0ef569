"""Alerts over any of the services that apprise knows, by its URLs.

Written for apprise 2.2, https://github.com/caronc/apprise: `notify()` returns a result whose truth
is success of all its services, and whose logs say what went wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inspect_agent.errors import DeliveryDelayed, DeliveryRefused
from inspect_agent.model.message import Message
from inspect_agent.model.metric import Param


class Apprise:
    """Sends subject and body to one apprise URL."""

    params = (
        Param("url", "secret", "an apprise URL; several send to each", required=True, many=True),
    )
    incidents = False

    def __init__(self, params: Mapping[str, str]) -> None:
        url = params.get("url", "")
        if not url.partition("://")[2]:
            raise ValueError("url: an apprise URL looks like SERVICE://…")
        self._url = url
        self._service: Any = None

    def send(self, message: Message) -> str:
        """Sends, and names the service that took it."""
        # 35 MB: only a worker that has such a message to deliver pays for it
        import apprise

        if self._service is None:
            self._service = self._open(apprise)
        sender = apprise.Apprise(self._service)
        with sender.notify(
            title=message.subject,
            body=message.body,
            body_format=apprise.NotifyFormat.TEXT,
            notify_type=apprise.NotifyType(notify_type(message)),
        ) as result:
            if not result:
                raise DeliveryDelayed(self._reason(result))
        return f"taken by {self._service.service_name}"

    def _open(self, apprise: Any) -> Any:
        """The service of the URL; kept, for it paces itself between two messages."""
        asset = apprise.AppriseAsset(
            app_id="inspect-agent",
            app_desc="inspect-agent",
            storage_mode="memory",  # it would keep files in the home directory
            # With a deadline it would use one pool of a few threads for all destinations, and what
            # hangs stays in there; without one it works in the destination's own thread.
            service_timeout=0,
        )
        service = apprise.Apprise.instantiate(self._url, asset=asset)
        if service is None:
            raise DeliveryRefused(
                "url: apprise cannot use it; see https://appriseit.com for how its URLs are built"
            )
        return service

    def _reason(self, result: Any) -> str:
        said = "; ".join(dict.fromkeys(entry.message for entry in result.logs()))
        return f"{self._service.service_name}: {said or result.status.name.lower()}"


def notify_type(message: Message) -> str:
    """The gravest severity of what is not over, in apprise's words; success where all is over."""
    open_now = {event.severity for event in message.events if not event.resolves}
    if "critical" in open_now:
        return "failure"
    if "warning" in open_now:
        return "warning"
    return "info" if open_now else "success"
