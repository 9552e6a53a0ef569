"""Events and messages that tests begin with."""

from __future__ import annotations

from inspect_agent.model.event import Event
from inspect_agent.model.message import Message

FAILED = Event(
    kind="RuleFailed",
    target="service sidekiq",
    at=1795254531.0,
    text="sidekiq: memory:rss > 500m for 2 cycles is true (612.40m)",
    incident="machine/service sidekiq/memory:rss>524288000/2",
    severity="critical",
    rule="memory:rss > 500m for 2 cycles",
    value="612.40m",
)
RECOVERED = FAILED._replace(
    kind="RuleRecovered",
    at=1795254591.0,
    text="sidekiq: memory:rss > 500m for 2 cycles is over (312.00m)",
    severity="info",
    resolves=True,
    value="312.00m",
)
REMINDER = FAILED._replace(kind="RuleReminder", text="sidekiq: memory:rss > 500m is still true")
GONE = Event(
    kind="ProcessDoesNotExist",
    target="service nginx",
    at=1795254532.0,
    text="nginx is not running (failed)",
    incident="machine/service nginx/process",
    detail="failed (failed), Result=signal",
)
MESSAGE = Message(
    id="0123456789abcdef0123456789abcdef",
    host="web-1.example.com",
    sent_at=1795254531.0,
    subject="[web-1.example.com] CRITICAL sidekiq: memory:rss > 500m for 2 cycles (612.40m)",
    body="CRITICAL sidekiq: memory:rss > 500m\n\n.one dot at the start\n  Host      Zoë's\n",
    short="CRITICAL sidekiq: memory:rss > 500m for 2 cycles (612.40m)",
    events=(FAILED,),
)
