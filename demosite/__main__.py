"""Serve the demo site on loopback until Ctrl-C: ``python -m demosite --port 8808``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib

from demosite import pages, serving


async def _serve(port: int) -> None:
    server = await serving.listen(pages.respond, port)
    print(f"http://127.0.0.1:{serving.port_of(server)}/", flush=True)
    await server.serve_forever()


def main() -> None:
    """Print the site's URL, then serve it."""
    parser = argparse.ArgumentParser(prog="python -m demosite", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
