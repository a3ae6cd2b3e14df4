"""A small TCP proxy in front of Neo4j that loses or holds the connection around a COMMIT."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

# Bolt: a chunk of two bytes, structure without fields (B0), message COMMIT (12), end of message.
COMMIT = b"\x00\x02\xb0\x12\x00\x00"
BEFORE_COMMIT, AFTER_COMMIT = "before_commit", "after_commit"
_SECONDS = 60


class CuttingProxy:
    """Passes bytes both ways; the next `cuts` commits reach the server and their answers never come back.

    With `hold` the next commit stops: before the server has it, or after the server has carried it out and before its
    answer is passed on. `held` is set then, and the connection stays like that until `let_go`.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.cuts = 0
        self.commits_cut = 0
        self.held = threading.Event()
        self._point: str | None = None
        self._mute: set[socket.socket] = set()
        self._gone = threading.Event()
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where clients connect."""
        port: int = self._listener.getsockname()[1]
        return port

    def hold(self, point: str) -> None:
        """Stop at the next commit: BEFORE_COMMIT or AFTER_COMMIT."""
        self._point = point

    def let_go(self) -> None:
        """Drop the connection that is held."""
        self._gone.set()

    def close(self) -> None:
        """Take no more clients."""
        self.let_go()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(self._target)
                except OSError:
                    # As the server itself would look: nobody is there.
                    client.close()
                    continue
                threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answers, args=(server, client), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError), client, server:
            while data := client.recv(65536):
                is_commit = data.endswith(COMMIT)
                point, self._point = (self._point, None) if is_commit else (None, self._point)
                if point == BEFORE_COMMIT:
                    self.held.set()
                    self._gone.wait(_SECONDS)
                    # Closing alone says nothing to the server while another thread reads from it.
                    server.shutdown(socket.SHUT_RDWR)
                    return
                if point == AFTER_COMMIT:
                    self._mute.add(server)
                is_cut = self.cuts > 0 and is_commit
                if is_cut:
                    self.cuts -= 1
                    self.commits_cut += 1
                    client.shutdown(socket.SHUT_RDWR)
                server.sendall(data)
                if is_cut:
                    # The server answers into the void: wait for that, so that the commit really happened.
                    server.recv(65536)
            # A client that was killed: closing alone says nothing to the server while another thread reads from it, and
            # the transaction would keep its locks until the server's own time-out.
            server.shutdown(socket.SHUT_RDWR)

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if server in self._mute:
                    self.held.set()
                    self._gone.wait(_SECONDS)
                    return
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
