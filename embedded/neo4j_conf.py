"""The generated `neo4j.conf` and Java options: loopback only, sized to the machine; a misspelt key stops the server."""

from dataclasses import dataclass
from pathlib import Path

from embedded.machine import MEBIBYTE, total_memory
from embedded.process import LOOPBACK

_HEAP_LIMITS = (512, 4096)
_PAGE_CACHE_LIMITS = (128, 4096)
_HEAP_SHARE = 8
_PAGE_CACHE_SHARE = 10

JAVA_OPTIONS = (
    "-XX:+UseG1GC",
    "-XX:-OmitStackTraceInFastThrow",
    "-XX:+UnlockExperimentalVMOptions",
    "-XX:+TrustFinalNonStaticFields",
    "-XX:+DisableExplicitGC",
    "-Djdk.nio.maxCachedBufferSize=1024",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Djdk.tls.ephemeralDHKeySize=2048",
    "-Djdk.tls.rejectClientInitiatedRenegotiation=true",
    "-Dlog4j2.disable.jmx=true",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Memory of one server in MiB, and whether it may save on durability of its files for a short life."""

    heap: int
    page_cache: int
    is_short_lived: bool = False


TEST_SIZES = Sizes(heap=1024, page_cache=256, is_short_lived=True)


def service_sizes() -> Sizes:
    """Heap and page cache for a server that shares this machine with the service."""
    memory = total_memory() // MEBIBYTE
    return Sizes(_clamp(memory // _HEAP_SHARE, _HEAP_LIMITS), _clamp(memory // _PAGE_CACHE_SHARE, _PAGE_CACHE_LIMITS))


def _clamp(value: int, limits: tuple[int, int]) -> int:
    return max(limits[0], min(limits[1], value))


def neo4j_conf(home: Path, bolt_port: int, http_port: int, sizes: Sizes) -> str:
    """The text of neo4j.conf for a server below `home`."""
    settings = {
        "server.directories.data": home / "data",
        "server.directories.logs": home / "logs",
        "server.directories.run": home / "run",
        "server.directories.import": home / "import",
        "server.directories.plugins": home / "plugins",
        "server.default_listen_address": LOOPBACK,
        "server.bolt.listen_address": f"{LOOPBACK}:{bolt_port}",
        "server.bolt.advertised_address": f"{LOOPBACK}:{bolt_port}",
        "server.http.listen_address": f"{LOOPBACK}:{http_port}",
        "server.http.advertised_address": f"{LOOPBACK}:{http_port}",
        "server.https.enabled": "false",
        "server.config.strict_validation.enabled": "true",
        "server.memory.heap.initial_size": f"{sizes.heap}m",
        "server.memory.heap.max_size": f"{sizes.heap}m",
        "server.memory.pagecache.size": f"{sizes.page_cache}m",
        "dbms.memory.transaction.total.max": f"{sizes.heap // 2}m",
        "db.lock.acquisition.timeout": "5s",
        "db.transaction.timeout": "60s",
        "db.tx_log.preallocate": "false",
        "db.store.files.preallocate": "false",
        "db.tx_log.rotation.retention_policy": "keep_none" if sizes.is_short_lived else "1 days 512M",
        "dbms.cypher.hints_error": "true",
        "dbms.security.auth_enabled": "true",
        "dbms.usage_report.enabled": "false",
        # A client that hears nothing for twice this time, even while its query runs, takes the connection for dead.
        "server.bolt.connection_keep_alive": "5s",
        # By then the databases are closed; the defaults keep an idle server waiting for ten seconds.
        "internal.server.bolt.connection_shutdown_wait_time": "1s",
        "internal.server.bolt.thread_pool_shutdown_wait_time": "1s",
    }
    if sizes.is_short_lived:
        settings |= {"db.checkpoint": "VOLUME", "db.checkpoint.interval.volume": "64m"}
    return "".join(f"{key}={value}\n" for key, value in settings.items())
