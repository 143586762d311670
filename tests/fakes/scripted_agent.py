"""A program that answers like an agent, or as its request's `do` says. Runs alone.

python scripted_agent.py
"""

import json
import os
import sys
from typing import Any


def _head(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": request["id"],
        "verb": request["verb"],
        "ok": True,
        "protocol": 1,
        "agent_pid": os.getpid(),
    }


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _act(request: dict[str, Any]) -> None:
    head = _head(request)
    do: str = request.get("do", "answer")
    match do:
        case "answer":
            _say(json.dumps({**head, "said": request.get("say")}))
        case "with":
            _say(json.dumps({**head, **request["head"]}))
        case "raw":
            _say(request["raw"])
        case "twice":
            _say(json.dumps(head))
            _say(json.dumps(head))
        case "long":
            head["padding"] = ""
            head["padding"] = "x" * (request["length"] - len(json.dumps(head)) - 1)
            _say(json.dumps(head))
        case "complain":
            sys.stderr.write(request["words"])
            sys.stderr.flush()
            _say(json.dumps(head))
        case "die":
            sys.stderr.write(request.get("words", ""))
            sys.stderr.flush()
            os._exit(3)
        case "hang":
            sys.stderr.write("hanging")
            sys.stderr.flush()
            os.closerange(1, 1 + request.get("closes", 0))
            sys.stdin.read()
        case "half":
            sys.stdout.write(json.dumps(head)[:10])
            sys.stdout.flush()
            os._exit(0)
        case _:
            raise ValueError(do)


if __name__ == "__main__":
    for line in sys.stdin:
        _act(json.loads(line))
