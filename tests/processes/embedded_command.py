"""A command that uses the embedded servers, for tests: it does one line of its input after the other.

    python embedded_command.py HOME [UID] [POSTGRES_SOURCE] [BROKER_SOURCE]

It becomes that user only after everything is imported, since the interpreter may be out of that user's reach.
Every answer is one line of JSON. Lines: ``sql STATEMENT``, ``fill ROWS`` (one commit each), ``push``, ``length``, ``ensure``; the end of the input ends it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import psycopg
import redis

from cli import embedded
from headersweep.errors import HeadersweepError


def main(home: str, uid: str = "", postgres: str = "", broker: str = "") -> None:
    if uid:
        become(int(uid))
    try:
        with embedded.running(Path(home), choice=embedded.Choice(postgres, broker)) as servers:
            say(servers=vars(servers) | {"home": str(servers.home)}, pids=pids(home))
            for line in sys.stdin:
                say(answer=answer(servers, line.strip()), pids=pids(home))
    except HeadersweepError as error:
        say(error=str(error), exit_code=int(error.exit_code))
    else:
        say(ended=True)


def become(uid: int) -> None:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


def answer(servers: embedded.Servers, line: str) -> Any:
    verb, _, rest = line.partition(" ")
    if verb == "sql":
        with psycopg.connect(servers.database_url) as connection:
            cursor = connection.execute(rest.encode())
            return cursor.fetchall() if cursor.description else None
    if verb == "fill":
        with psycopg.connect(servers.database_url, autocommit=True) as connection:
            connection.execute("create table if not exists kept (n int)")
            for n in range(int(rest)):
                connection.execute("insert into kept values (%s)", (n,))
            return None
    if verb == "ensure":
        return embedded.ensure(servers.home)
    with redis.Redis.from_url(embedded.client_url(servers.broker_url)) as client:
        return client.rpush("list", "x") if verb == "push" else client.llen("list")


def pids(home: str) -> list[int | None]:
    status = embedded.status(Path(home))
    return [server.process_id for server in status.servers] if status else []


def say(**words: Any) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
