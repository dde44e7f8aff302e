"""Plays the server's part: starts the real isocost-plugin-host and speaks its protocol.

    with PluginHost() as host:
        hello = host.load("build/plugins/aws.so", config={...}, secrets={...}, http={...})
        pages, end = host.fetch()          # raises PluginFailure
"""
import os
import pathlib
import socket
import struct
import subprocess
import zlib

from isocost_protos import BUILD, plugin_pb2

HEADER = struct.Struct("<4sIIQI")
MAGIC = b"ISO1"
TO_HOST, FROM_HOST = 1, 2
PROGRAM = pathlib.Path(BUILD) / "bin" / "isocost-plugin-host"
SANITIZED = b"__asan_init" in PROGRAM.read_bytes()  # which keeps freed memory, and needs it without a limit


class PluginFailure(Exception):
    """The host said Failure. `failure` is the message, `code` and `text` are its parts."""

    def __init__(self, failure):
        super().__init__(failure.message)
        self.failure = failure
        self.kind = plugin_pb2.FailureClass.Name(getattr(failure, "class")).removeprefix(
            "FAILURE_CLASS_").lower()
        self.code = failure.provider_code


class HostGone(Exception):
    """The host closed its end without an End or a Failure."""


class PluginHost:
    def __init__(self):
        ours, theirs = socket.socketpair()
        self.socket = ours
        self.request_id = 0
        self.logs = []
        os.set_inheritable(theirs.fileno(), True)
        self.process = subprocess.Popen([PROGRAM, str(theirs.fileno()), str(os.getpid())],
                                        pass_fds=[theirs.fileno()])
        theirs.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _send(self, request):
        self.request_id += 1
        payload = request.SerializeToString()
        head = struct.pack("<IQ", TO_HOST, self.request_id)
        crc = zlib.crc32(payload, zlib.crc32(head))
        self.socket.sendall(HEADER.pack(MAGIC, len(payload), TO_HOST, self.request_id, crc) + payload)

    def _read(self, n):
        parts = []
        while n:
            part = self.socket.recv(min(n, 1 << 20))
            if not part:
                raise HostGone(f"the host ended with {self.process.wait(10)}")
            parts.append(part)
            n -= len(part)
        return b"".join(parts)

    def _event(self):
        magic, n, kind, _, crc = HEADER.unpack(self._read(HEADER.size))
        assert magic == MAGIC and kind == FROM_HOST, "a frame that is none"
        payload = self._read(n)
        event = plugin_pb2.HostEvent.FromString(payload)
        if event.WhichOneof("event") == "log":
            self.logs.append(event.log.text)
            return self._event()
        if event.WhichOneof("event") == "failure":
            raise PluginFailure(event.failure)
        return event

    def load(self, path, *, instance="test", config=(), secrets=(), readable=(), http=None,
             cache="", memory_bytes=0, clock_ns=0):
        request = plugin_pb2.HostRequest()
        load = request.load
        load.path, load.instance, load.cache_directory = str(path), instance, str(cache)
        load.memory_bytes, load.clock_ns = memory_bytes, clock_ns
        load.readable_paths.extend(str(p) for p in readable)
        for name, value in dict(config).items():
            load.config.add(name=name, value=str(value))
        for name, value in dict(secrets).items():
            load.secrets.add(name=name, value=value)
        settings = dict(http or {})
        for name, url in settings.pop("endpoints", {}).items():
            load.http.endpoints[name] = url
        for name, value in settings.items():
            setattr(load.http, name, value)
        self._send(request)
        return self._event().hello

    def fetch(self, *, deadline_seconds=60, products=True, quotas=True, offerings=True, inventory=False,
              usage=None, costs=None):
        """Gives all pages and the End. `usage` and `costs`: (from, to) in seconds since 1970."""
        self._send(plugin_pb2.HostRequest(fetch=_fetch_request(
            deadline_seconds=deadline_seconds, products=products, quotas=quotas, no_offerings=not offerings,
            inventory=inventory, usage=usage, costs=costs)))
        pages = []
        while True:
            event = self._event()
            if event.WhichOneof("event") == "end":
                assert event.end.pages == len(pages)
                return pages, event.end
            pages.append(event.page)

    def rows(self, **wanted):
        """Fetches and gives all rows by their kind: {"offerings": [...], "diagnostics": [...], ...}."""
        pages, _ = self.fetch(**wanted)
        return {field.name: [row for page in pages for row in getattr(page, field.name)]
                for field in plugin_pb2.Page.DESCRIPTOR.fields}

    def peak_rss_bytes(self):
        """Most memory that the host has had at once."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM"))


def fetching(plugin, now, parameters):
    """Two functions for the tests of a plugin against a replayed cloud: one gives the rows of a fetch, the other
    the failure of one that must fail. `now` is the plugin's clock in seconds since 1970, `parameters(cloud)` its
    configuration, to which further arguments add."""
    def rows(cloud, *, wanted=(), secrets=None, http=None, **config):
        with PluginHost() as host:
            host.load(plugin, config={**parameters(cloud), **config}, http={**cloud.http(), **(http or {})},
                      secrets=cloud.secrets if secrets is None else secrets, clock_ns=now * 10 ** 9)
            return host.rows(**dict(wanted))

    def refused(cloud, **arguments):
        try:
            rows(cloud, **arguments)
        except PluginFailure as failure:
            return failure
        raise AssertionError("the plugin gave rows")

    return rows, refused


def money(amount):
    """An amount as text, "0.4" or "1.", and its currency."""
    return f"{amount.units + amount.nanos / 1e9:.9f}".rstrip("0"), amount.currency_code


def codes(found):
    """The codes of the diagnostics among rows."""
    return sorted(d.code for d in found["diagnostics"])


def _fetch_request(*, usage, costs, **wanted):
    request = plugin_pb2.FetchRequest(usage=usage is not None, costs=costs is not None, **wanted)
    for span in filter(None, (usage, costs)):
        getattr(request, "from").seconds, request.to.seconds = span
    return request
