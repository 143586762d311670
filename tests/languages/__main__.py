"""`python -m tests.languages es`: bring a catalog up to date, and say what it lacks.

Takes translations from JSON files (`{"text": "texto", "one|||many": ["uno", "muchos"]}`) named
after the language, drops what is said no more, and prints what has no translation, as JSON.
"""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog

from tests.languages import catalogs

BAR = "|||"
EVER = datetime(2026, 1, 1, tzinfo=UTC)
"""A catalog has no date of its own: it would differ with each run."""
HEADER = '# What Reckoner says, in one language. See CONTRIBUTING.md, "Words".'


def main() -> int:
    """Exit status: 0 complete, 1 something is missing or wrong."""
    parser = argparse.ArgumentParser(prog="tests.languages", description=__doc__)
    parser.add_argument("language", help="such as es")
    parser.add_argument("files", nargs="*", type=Path, help="JSON files with translations")
    parser.add_argument("--of", default="", help="only what files with this in their name say")
    parser.add_argument("--dry", action="store_true", help="look only, write nothing")
    asked = parser.parse_args()
    given: dict[str, str | list[str]] = {}
    for file in asked.files:
        given |= json.loads(file.read_text("utf-8"))
    old = catalogs.read(asked.language)
    new = Catalog(
        locale=asked.language,
        project="Reckoner",
        version="1",
        header_comment=HEADER,
        msgid_bugs_address="see README.md",
        last_translator="see the history",
        language_team=asked.language,
        creation_date=EVER,
        revision_date=EVER,
        fuzzy=False,
        charset="utf-8",
    )
    missing: dict[str, object] = {}
    wrong: list[str] = []
    for said, where in catalogs.extracted().items():
        key = said if isinstance(said, str) else BAR.join(said)
        had = old.get(said if isinstance(said, str) else said[0])
        strings = given.get(key) or (had.string if had is not None and had.string else None)
        concerns = asked.of in where
        if strings is None:
            if concerns:
                missing[key] = "" if isinstance(said, str) else ["", ""]
            continue
        listed = (strings,) if isinstance(strings, str) else tuple(strings)
        wrong += catalogs.problems(said, listed) if concerns else []
        new.add(said, strings if isinstance(said, str) else listed)
    if not asked.dry:
        catalogs.write(asked.language, new)
    sys.stdout.write(json.dumps(missing, ensure_ascii=False, indent=1) + "\n")
    sys.stderr.writelines(f"{each}\n" for each in wrong)
    return 1 if missing or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
