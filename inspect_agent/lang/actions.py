"""Actions: whom to alert, what to repair."""

from __future__ import annotations

import signal
from collections.abc import Iterable

from inspect_agent.lang import ast
from inspect_agent.lang.known import Around, no_route, unchecked
from inspect_agent.lang.problems import Near, Wrong, shown
from inspect_agent.model.rule import Action, Alert, Repair, Run, Severity, Signal, Unmonitor, Verb

_SEVERITIES: dict[str, Severity] = {"info": "info", "warning": "warning", "critical": "critical"}
_VERBS: dict[str, Verb] = {
    "restart": "restart",
    "reload": "reload",
    "start": "start",
    "stop": "stop",
}
_SIGNALS = frozenset(name.removeprefix("SIG") for name in signal.Signals.__members__)


def then(actions: Iterable[ast.Action], around: Around) -> tuple[Action, ...]:
    """The actions of `then`; those with something wrong are reported and left out."""
    found = (_action(action, around) for action in actions)
    return tuple(action for action in found if action)


def otherwise(actions: Iterable[ast.Action], around: Around) -> tuple[Action, ...]:
    """The actions of `else`."""
    alerts = []
    for action in actions:
        if isinstance(action, ast.Alert):
            alerts.append(action)
        else:
            wrong = Wrong("else only alerts, it does not {}", "a recovery never repairs")
            around.report.error(action.verb, wrong)
    return then(alerts, around)


def _action(action: ast.Action, around: Around) -> Action | None:
    if isinstance(action, ast.Alert):
        return _alert(action, around)
    if isinstance(action, ast.Run):
        return _run(action, around)
    return _manage(action, around)


def _alert(action: ast.Alert, around: Around) -> Alert | None:
    severity = _severity(action.severity, around)
    route = around.owner
    if action.route:
        route = action.route.text
        if around.known.routes.lacks(route):
            around.report.error(action.route, _unknown_route(action.route, around))
            return None
    return Alert(route, severity) if severity else None


def _unknown_route(route: ast.Word, around: Around) -> Wrong:
    if route.text in ast.VERBS and not route.quoted:
        return Wrong("no route is called {}", f"a comma is missing: alert, {route.text}")
    return no_route(route.text, around.known)


def _severity(word: ast.Word | None, around: Around) -> Severity | None:
    if word is None:
        return "critical"
    severity = _SEVERITIES.get(word.text)
    if severity is None:
        hint = 'info, warning or critical; a route called as is quoted: alert "as"'
        wrong = Wrong("unknown severity {}", hint, Near(word.text, _SEVERITIES))
        around.report.error(word, wrong)
    return severity


def _run(action: ast.Run, around: Around) -> Run | None:
    for word in (action.command, action.user):
        if word and not word.text.strip():
            around.report.error(word, Wrong("an empty value"))
            return None
    return Run(action.command.text, action.user.text if action.user else "")


def _manage(action: ast.Manage, around: Around) -> Repair | Signal | Unmonitor | None:
    verb = action.verb.text
    its_own = action.name is None or verb not in _VERBS
    if around.scope == "host":
        wrong = Wrong("a rule of the host may only alert or run, not {}", "check service NAME")
    elif around.scope == "probe" and its_own:
        hint = f"{verb} NAME" if verb in _VERBS else "a rule of check service NAME may"
        wrong = Wrong("a probe has no process to {}", hint)
    elif verb == "unmonitor":
        return Unmonitor(around.service)
    elif verb == "signal":
        return _signal(action.name, around)
    else:
        return _repair(action.verb, action.name, around)
    around.report.error(action.verb, wrong)
    return None


def _signal(word: ast.Word | None, around: Around) -> Signal | None:
    if word is None:  # the grammar wants one
        return None
    name = word.text.upper().removeprefix("SIG")
    if name not in _SIGNALS:
        near = Near(name, _SIGNALS)
        around.report.error(word, Wrong("no signal is called {}", "TERM, HUP, USR1, TSTP …", near))
        return None
    return Signal(name, around.service)


def _repair(verb: ast.Word, name: ast.Word | None, around: Around) -> Repair | None:
    if name and unchecked(name.text, around.known):
        around.report.error(name, _unknown_service(verb, name, around))
        return None
    service = name.text if name else around.service
    commands = around.known.commands.get(service)
    if commands is not None and verb.text not in commands:
        around.report.error(verb, _no_command(verb.text, service))
    return Repair(_VERBS[verb.text], service)


def _no_command(verb: str, service: str) -> Wrong:
    hint = "no manager runs it, so there is nothing to reload it with"
    if verb != "reload":
        hint = f'no manager runs it, so it wants a command: with {verb} "…"'
    return Wrong(f"nothing to {{}} {shown(service)} with", hint)


def _unknown_service(verb: ast.Word, name: ast.Word, around: Around) -> Wrong:
    if name.text in ast.VERBS and not name.quoted:
        hint = f"a comma is missing: {verb.text}, {name.text}"
        return Wrong("no check of a service called {}", hint)
    near = around.known.services.near(name.text)
    return Wrong("no check of a service called {}", "check service NAME", near)
