"""A small TCP proxy in front of Neo4j that loses the connection right after it passed a COMMIT on."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

# Bolt: a chunk of two bytes, structure without fields (B0), message COMMIT (12), end of message.
COMMIT = b"\x00\x02\xb0\x12\x00\x00"


class CuttingProxy:
    """Passes bytes both ways; the next `cuts` commits reach the server and their answers never come back."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.cuts = 0
        self.commits_cut = 0
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where clients connect."""
        port: int = self._listener.getsockname()[1]
        return port

    def close(self) -> None:
        """Take no more clients."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answers, args=(server, client), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError), client, server:
            while data := client.recv(65536):
                is_cut = self.cuts > 0 and data.endswith(COMMIT)
                if is_cut:
                    self.cuts -= 1
                    self.commits_cut += 1
                    client.shutdown(socket.SHUT_RDWR)
                server.sendall(data)
                if is_cut:
                    # The server answers into the void: wait for that, so that the commit really happened.
                    server.recv(65536)

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)


@contextlib.contextmanager
def cutting_proxy(uri: str) -> Iterator[CuttingProxy]:
    """A proxy in front of `bolt://host:port`."""
    parts = urlsplit(uri)
    proxy = CuttingProxy((parts.hostname or "127.0.0.1", parts.port or 7687))
    try:
        yield proxy
    finally:
        proxy.close()
