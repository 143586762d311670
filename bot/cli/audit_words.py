"""The words of `audit`."""

import argparse
from typing import Any

from bot.cli import options
from bot.cli.options import AuditOptions
from bot.cli.words import read

_CHAIN = read(options.chain_name, "an account's number, system, or id=N")
_HEAD = read(options.head, "CHAIN:NUMBER:HASH with at least 16 digits of the hash")
_NUMBER = read(options.link_number, "a link's number, from 1")


def add_audit_words(audit: argparse.ArgumentParser) -> None:
    """What to do with the proof."""
    verbs = audit.add_subparsers(dest="verb", required=True, metavar="{verify,show,heads,...}")
    verify = verbs.add_parser("verify", help="name every link that was tampered with")
    _add_chain(verify)
    verify.add_argument(
        "--head",
        dest="heads",
        action="append",
        type=_HEAD,
        default=[],
        metavar="CHAIN:N:HASH",
        help="a head that somebody kept, from a digest or an incident; may be given several times",
    )
    show = verbs.add_parser("show", help="print links, one JSON object a line")
    _add_chain(show)
    show.add_argument("--from", dest="since", type=_NUMBER, default=1, metavar="N")
    show.add_argument("--to", dest="until", type=_NUMBER, metavar="N")
    verbs.add_parser("heads", help="print the last link of every chain, to be kept elsewhere")
    verbs.add_parser("rotate", help="put every chain under a new key")
    verbs.add_parser("new-key", help="the same where the old key is lost for good")


def audit_options(given: dict[str, Any]) -> AuditOptions:
    """Understand them."""
    heads = tuple(given.pop("heads", ()))
    return AuditOptions(chain=given.pop("chain", None) or "", heads=heads, **given)


def _add_chain(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--account",
        dest="chain",
        type=_CHAIN,
        metavar="CHAIN",
        help="an account's number, or system (default: every chain)",
    )
