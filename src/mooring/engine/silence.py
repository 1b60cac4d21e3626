"""How running containers fail to be healthy: one judge a cause, each silent unless it knows the case."""

from __future__ import annotations

from mooring.engine.cause import Cause, Facts
from mooring.engine.probe import Outcome

UNAVAILABLE = 503
# 501 is what HTTP has for a method that the server does not know at all: no GET.
MISSING = (404, 405, 501)
SHOWN_CHARACTERS = 300


def health_command_failing(facts: Facts) -> Cause | None:
    """Its health is told by a command, and that says no."""
    if not facts.health_command or facts.last_answer is None:
        return None
    ended = _body(facts) if _status(facts) else facts.last_answer.detail
    return Cause(
        name="health-command-fails",
        seen=f"after {facts.waited_seconds:.0f} s the health command {facts.health_command!r} still fails: {ended}",
        expected="exit code 0 from the health command once the model is loaded",
        advice="run it in the container (docker exec) and mend it, or wait longer with --timeout if it still loads",
    )


def health_unavailable(facts: Facts) -> Cause | None:
    """It answers that it is not ready."""
    if _status(facts) != UNAVAILABLE:
        return None
    reason = _body(facts)
    return Cause(
        name="health-unavailable",
        seen=f"after {facts.waited_seconds:.0f} s GET {facts.health_url} still answers 503: {reason or 'no reason'}",
        expected=f"200 from GET {facts.health_url} once the model is loaded",
        advice="if it is still loading, wait longer with --timeout; else mend what the reason and the log lines say",
    )


def health_missing(facts: Facts) -> Cause | None:
    """It serves, and not the health url."""
    if _status(facts) not in MISSING:
        return None
    return Cause(
        name="health-missing",
        seen=f"it serves on port {facts.port}, but GET {facts.health_url} answers {_status(facts)}",
        expected=f"200 from GET {facts.health_url}",
        advice='add that route, or name the one there is in config.json: "health": {"url": "..."}',
    )


def health_redirected(facts: Facts) -> Cause | None:
    """The health url sends callers elsewhere."""
    if _status(facts) // 100 != 3:  # noqa: PLR2004 - the 3xx class of HTTP
        return None
    return Cause(
        name="health-redirected",
        seen=f"GET {facts.health_url} answers {_status(facts)}, a redirect",
        expected="200 at the url itself; probes do not follow redirects",
        advice="declare the final url in config.json (mind a slash at the end), and ask for no login there",
    )


def health_failing(facts: Facts) -> Cause | None:
    """The health url answers an error."""
    status = _status(facts)
    if not status or 200 <= status < 300:  # noqa: PLR2004 - the 2xx class of HTTP
        return None
    return Cause(
        name="health-failing",
        seen=f"GET {facts.health_url} answers {status}: {_body(facts) or 'empty body'}",
        expected=f"200 from GET {facts.health_url}",
        advice="mend the handler of the health url; the log lines may show its error",
    )


def speaks_tls(facts: Facts) -> Cause | None:
    """It wants TLS where the config declares plain HTTP."""
    if not facts.tls or facts.protocol != "http":
        return None
    return Cause(
        name="speaks-https",
        seen=f"port {facts.port} speaks TLS (https)",
        expected="plain http, as config.json declares",
        advice='serve plain http (the platform adds https outside), or declare "protocol": "https" for each api',
    )


def not_http(facts: Facts) -> Cause | None:
    """Something answers, in another language."""
    if _outcome(facts) is not Outcome.NOT_HTTP or facts.last_answer is None:
        return None
    return Cause(
        name="not-http",
        seen=f"port {facts.port} answers, but not with HTTP: {facts.last_answer.detail}",
        expected=f"an HTTP server on port {facts.port}",
        advice=f"see which program listens on {facts.port}, and move it or the HTTP server",
    )


def no_answer_in_time(facts: Facts) -> Cause | None:
    """It accepts and does not answer."""
    if _outcome(facts) is not Outcome.SILENT:
        return None
    return Cause(
        name="health-hangs",
        seen=f"port {facts.port} accepts connections, but GET {facts.health_url} gets no answer in its time",
        expected="an answer from the health url at any time, also while a prediction runs",
        advice="do not load or predict on the thread that answers health",
    )


def listens_on_loopback(facts: Facts) -> Cause | None:
    """The right port, for the container itself only."""
    mine = [listener for listener in facts.listeners or () if listener.port == facts.port]
    if not mine or not all(listener.is_loopback for listener in mine):
        return None
    return Cause(
        name="listens-on-loopback",
        seen=f"it listens on {', '.join(map(str, mine))} only, which nobody outside the container can reach",
        expected=f"a server on 0.0.0.0:{facts.port}",
        advice="bind to 0.0.0.0 (uvicorn --host 0.0.0.0, gunicorn -b 0.0.0.0:8080, flask run --host 0.0.0.0)",
    )


def listens_elsewhere(facts: Facts) -> Cause | None:
    """Another port."""
    if not facts.listeners or any(listener.port == facts.port for listener in facts.listeners):
        return None
    return Cause(
        name="listens-on-another-port",
        seen=f"it listens on {', '.join(map(str, facts.listeners))}, and not on port {facts.port}",
        expected=f"a server on 0.0.0.0:{facts.port}",
        advice=f"start the server on port {facts.port}",
    )


def drops_connections(facts: Facts) -> Cause | None:
    """The right address, and every connection is closed without an answer."""
    if _outcome(facts) is not Outcome.CLOSED or not facts.listeners:
        return None
    return Cause(
        name="drops-connections",
        seen=f"port {facts.port} accepts connections and closes them without an answer",
        expected=f"an HTTP server on port {facts.port}",
        advice="look in the log lines for an error at each connection",
    )


def listens_nowhere(facts: Facts) -> Cause | None:
    """It runs, and has no server."""
    if facts.listeners is None or facts.listeners:
        return None
    return Cause(
        name="listens-nowhere",
        seen=f"after {facts.waited_seconds:.0f} s it listens on no port at all",
        expected=f"a server on 0.0.0.0:{facts.port}",
        advice="if it loads its model before it listens, wait longer with --timeout, and declare the time it takes: "
        '"health": {"initial_delay_seconds": "..."}; else see what it waits for',
    )


def never_answered(facts: Facts) -> Cause:
    """Nothing more particular is known."""
    last = facts.last_answer
    detail = f" (last: {last.outcome.value}{': ' + last.detail if last.detail else ''})" if last else ""
    return Cause(
        name="never-answered",
        seen=f"no answer from port {facts.port} within {facts.waited_seconds:.0f} s{detail}",
        expected=f"200 from GET {facts.health_url}",
        advice="look in the log lines for what it does instead; --timeout waits longer",
    )


def _status(facts: Facts) -> int:
    return facts.last_answer.status if facts.last_answer else 0


def _outcome(facts: Facts) -> Outcome | None:
    return facts.last_answer.outcome if facts.last_answer else None


def _body(facts: Facts) -> str:
    return facts.last_answer.reason[:SHOWN_CHARACTERS] if facts.last_answer else ""
