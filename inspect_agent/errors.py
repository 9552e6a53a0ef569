"""Every error the project raises on purpose.

InspectError                 anything below; its text is fit for an operator
├── ConfigurationError       the files cannot be used; carries the problems
├── SourceError              a metric family could not be asked, or answered badly
│   └── ProcessGone          the process that was read has ended
├── ManagerError             a service manager did not answer, or answered garbage
├── StepError                a step of a rule (a repair, a signal, a command) could not be taken
├── ChannelError             a message was not delivered
│   ├── DeliveryDelayed      failed for now: try again (after `retry_after_s`)
│   └── DeliveryRefused      failed for good: trying again cannot help
├── WorkerError              a worker could not be started, or broke its protocol
├── LedgerError              state.db cannot be opened, read or written
├── ControlError             a request on the control socket was refused
└── AgentUnreachable         inspectctl found no agent at the socket
"""

from __future__ import annotations


class InspectError(Exception):
    """Base of all errors of this project; `str()` of it is one line for an operator."""


class ConfigurationError(InspectError):
    """The configuration cannot be used.

    `problems` are the rendered problems, one text each, in the order of their places.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(f"{len(problems)} problem(s) in the configuration")
        self.problems = problems


class SourceError(InspectError):
    """A metric family could not be asked, or answered badly."""


class ProcessGone(SourceError):
    """The process being read has ended (ESRCH, ENOENT or a zombie)."""


class ManagerError(InspectError):
    """A service manager did not answer, or answered something nobody can read."""


class StepError(InspectError):
    """A step of a rule (a repair, a signal, a command) could not be taken."""


class ChannelError(InspectError):
    """A message was not delivered; the text names host and stage, never a secret."""


class DeliveryDelayed(ChannelError):
    """The delivery failed for now.

    `retry_after_s` is what the far side asked for, in seconds, or None.
    """

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class DeliveryRefused(ChannelError):
    """The delivery failed for good: the same message will be refused again."""


class WorkerError(InspectError):
    """A worker could not be started, or what it wrote is not its protocol."""


class LedgerError(InspectError):
    """The ledger (state.db) cannot be opened, read or written."""


class ControlError(InspectError):
    """A request on the control socket was refused; the text is the answer."""


class AgentUnreachable(InspectError):
    """No agent answers at the socket; the text says what to do."""
