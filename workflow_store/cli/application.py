"""The verbs and how they read: names, help, version."""

from __future__ import annotations

from cyclopts import App

from workflow_store import __version__
from workflow_store.cli.backup import backup
from workflow_store.cli.changes import delete, update
from workflow_store.cli.database import database
from workflow_store.cli.demo import demo
from workflow_store.cli.details import get
from workflow_store.cli.export import export
from workflow_store.cli.health import health
from workflow_store.cli.ingest import ingest
from workflow_store.cli.listing import count_, list_
from workflow_store.cli.maintenance import maintain
from workflow_store.cli.media import media
from workflow_store.cli.monitor import monitor
from workflow_store.cli.original import import_original
from workflow_store.cli.quarantine import quarantine
from workflow_store.cli.queue import enqueue, pending
from workflow_store.cli.report import report
from workflow_store.cli.running import start, stop
from workflow_store.cli.search import search, suggest
from workflow_store.cli.statistics import stats

_HELP = """Keeps scraped n8n workflows in PostgreSQL.

The server is the one of `WORKFLOW_STORE_DSN`, in the environment or, as `dsn`, in the settings file; without one, an
embedded PostgreSQL is started in `WORKFLOW_STORE_DATA_DIR` or the user's data folder. `db` verbs use
`WORKFLOW_STORE_ADMIN_DSN`, a direct connection, where it is set.

Every verb takes `--json`: standard output is then one JSON document and nothing else. An error is
`{"error": {"type", "message"}}`, with the exit code it has without `--json`. Notes, progress and errors for people go
to standard error.

Exit codes:

* 0: done, all stored
* 1: some records rejected, a value that does not fit, nothing found under an id or name, or a question answered with no
* 2: wrong usage: an argument, a setting or a file name that can't be used
* 3: no server: it does not answer, refuses, or has not the schema this version needs; or no place of media files
* 4: an error nobody foresaw; `--debug` or `WORKFLOW_STORE_DEBUG=1` shows its traceback
* `health` alone: 0 healthy, 1 degraded, 2 unhealthy
* 130, 141, 143: stopped by Ctrl-C, by the reader of the output going away, by SIGTERM
"""

app: App = App(
    name="workflow-store",
    help=_HELP,
    help_format="markdown",
    help_flags=("--help", "-h"),
    version=f"workflow-store {__version__}",
    version_flags=("--version",),
)
app.command(database)
app.command(ingest)
app.command(import_original)
app.command(get)
app.command(list_, name="list")
app.command(count_, name="count")
app.command(search)
app.command(suggest)
app.command(update)
app.command(delete)
app.command(media)
app.command(quarantine)
app.command(enqueue)
app.command(pending)
app.command(stats)
app.command(export)
app.command(backup)
app.command(start)
app.command(stop)
app.command(health)
app.command(monitor)
app.command(report)
app.command(maintain)
app.command(demo)
