"""Runs checks and prints a line for each: the endpoint, and `ok` or what went wrong."""

import sys


def run(checks):
    failed = 0
    for endpoint, check in checks:
        try:
            good = check()
            said = "ok" if good else "not what it should be"
        except Exception as error:  # whatever a client makes of an answer it cannot use
            said = f"{type(error).__name__}: {error}"
        failed += said != "ok"
        print(f"{endpoint} {said}", flush=True)
    sys.exit(1 if failed else 0)


def refused(call):
    """Whether the client takes an answer for a refusal, as it should for what a server leaves out."""
    try:
        call()
    except Exception:
        return True
    return False
