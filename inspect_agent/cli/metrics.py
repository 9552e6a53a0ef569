"""`inspectctl metrics [FAMILY]`: what a rule may compare."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from inspect_agent.export import reference, reference_page
from inspect_agent.lang.problems import Problem, Wrong, nearest, render, shown
from inspect_agent.lang.reference import Section, sections, select
from inspect_agent.lang.vocabulary import installed

_FORMATS: Mapping[str, Callable[[Sequence[Section]], str]] = {
    "json": reference.as_json,
    "markdown": reference_page.page,
}


def main(arguments: Sequence[str]) -> int:
    """Exit status 0, 1 where nothing is called so, 2 for usage."""
    options = _parser().parse_args(arguments)
    vocabulary = installed()
    for fault in vocabulary.faults:
        print(f"inspectctl metrics: {shown(fault, 200)}", file=sys.stderr)
    families = select(options.word, vocabulary)
    if isinstance(families, Wrong):
        print(_complaint(options.word, families), file=sys.stderr)
        return 1
    as_text = reference.details if options.word else reference.overview
    sys.stdout.write(_FORMATS.get(options.format, as_text)(sections(families)))
    return 0


def _complaint(word: str, wrong: Wrong) -> str:
    message = wrong.message.replace("{}", shown(word))
    guess = nearest(wrong.near) if wrong.near else ""
    hint = f"did you mean {guess}?" if guess else "`inspectctl metrics` lists what there is"
    return render(Problem("inspectctl metrics", 0, 0, message, hint))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="inspectctl metrics", description="What a rule may compare, and where it comes from."
    )
    what = "a family (memory), a metric (memory:rss), or host, service or probe"
    parser.add_argument("word", metavar="FAMILY", nargs="?", default="", help=what)
    parser.add_argument(
        "--format", choices=("text", *_FORMATS), default="text", help="text, or for programs"
    )
    return parser
