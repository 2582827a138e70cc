"""Checks whose names are sentences, and the run of all that a program has.

A program is an application beside the sidecar. It is told the base URL that its SDK takes and a model, runs every check
in order, says a line about each, and ends with 1 if one failed. A program whose checks take a model is told the sidecar's
own URL and as many models as there are; each check is run with each of them.
"""

import asyncio
import faulthandler
import functools
import inspect
import sys
import traceback
import warnings

# Seconds that one check may take.
_PATIENCE = 45

_checks = []

# One for all checks: SDKs keep connections that belong to it.
_loop = asyncio.Runner()


def arguments():
    """The URL and the model of the command line."""
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} URL MODEL")
    return sys.argv[1:]


def sidecar():
    """The URL of the command line, in a program whose checks take a model."""
    if len(sys.argv) < 3:
        sys.exit(f"usage: {sys.argv[0]} URL MODEL…")
    return sys.argv[1]


def holds(check):
    """Makes a function, or a coroutine, one of the program's checks."""
    _checks.append(check)
    return check


def raises(kind, action):
    """The error that `action` raises, which must be of this kind."""
    try:
        outcome = action()
    except kind as error:
        return error
    raise AssertionError(f"raised nothing and returned {outcome!r}")


def run(except_for=None):
    """Runs every check. What the SDK's types warn of is an error: an answer was not what they say. `except_for` matches the
    warnings that no answer can cause."""
    assert __debug__, "run without -O, which leaves out every assert"
    assert _checks, "a program without checks checks nothing"
    warnings.simplefilter("error", UserWarning)
    if except_for:
        warnings.filterwarnings("ignore", except_for)
    failed = [run for run in _runs() if not _passes(*run)]
    sys.exit(1 if failed else 0)


def _runs():
    """Each check with what it is run with, and its sentence."""
    for check in _checks:
        sentence = check.__name__.replace("_", " ")
        if not inspect.signature(check).parameters:
            yield sentence, check
            continue
        for model in sys.argv[2:]:
            yield f"{model}: {sentence}", functools.partial(check, model)


def _passes(sentence, check):
    faulthandler.dump_traceback_later(_PATIENCE, exit=True)
    try:
        outcome = check()
        if inspect.isawaitable(outcome):
            _loop.run(outcome)
    except Exception as error:
        print(f"FAILED  {sentence}\n{_told(error)}", flush=True)
        return False
    print(f"ok      {sentence}", flush=True)
    return True


def _told(error):
    """The program's own lines that led to the error, and the error; what the SDK did in between is its business."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(sys.path[0])]
    lines = traceback.format_list(ours) + traceback.format_exception_only(error)
    return "".join(f"        {line}" for line in "".join(lines).splitlines(keepends=True))
