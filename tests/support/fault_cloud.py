"""A local HTTP server that answers as it is told, faults of transport among them.

    with FaultCloud() as cloud:
        cloud.answer("/page", [Answer(429, headers={"Retry-After": "0"}), Answer(200, b"{}")])
        ... cloud.url ... cloud.requests

Each request takes the next answer of its path; the last one stays.
"""
import dataclasses
import http.server
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse


@dataclasses.dataclass
class Answer:
    status: int = 200
    body: bytes = b"{}"  # or an iterator of pieces, for what no test holds in memory
    headers: dict = dataclasses.field(default_factory=dict)
    content_type: str = "application/json"
    fault: str = ""  # slow, stop, long, short, close, chunked, drip
    seconds: float = 0.0


@dataclasses.dataclass
class Request:
    method: str
    path: str
    query: list
    headers: dict
    body: bytes


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a short answer waits 40 ms for the client to acknowledge its head

    def log_message(self, *_):
        pass

    def _take(self):
        split = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, split.path,
                          urllib.parse.parse_qsl(split.query, keep_blank_values=True),
                          {k.lower(): v for k, v in self.headers.items()}, body)
        return self.server.cloud.take(request)

    def _write(self, answer):
        body = answer.body
        self.send_response(answer.status)
        if answer.content_type:
            self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.fault == "chunked" or not isinstance(body, bytes):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (body[at:at + 7] for at in range(0, len(body), 7)) if answer.fault else body:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
            return
        length = len(body) + {"long": 10, "short": -1}.get(answer.fault, 0)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if answer.fault in ("stop", "drip"):
            self.wfile.write(body[:len(body) // 2])
            self.wfile.flush()
            if answer.fault == "drip":
                time.sleep(answer.seconds)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.wfile.write(body)
        if answer.fault in ("long", "short"):
            self.close_connection = True

    def _serve(self):
        answer = self._take()
        try:
            if answer.fault == "close":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if answer.fault == "slow":
                time.sleep(answer.seconds)
            self._write(answer)
        except (BrokenPipeError, ConnectionResetError, OSError):
            self.close_connection = True

    do_GET = do_POST = _serve


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # clients that leave are what is tested


class FaultCloud:
    def __init__(self, certificate=None):
        """`certificate`: (certificate file, key file) to serve HTTPS."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.cloud = self
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._answers, self._lock = {}, threading.Lock()
        self.requests = []
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path, answers):
        self._answers[path] = list(answers) if isinstance(answers, (list, tuple)) else answers

    def take(self, request):
        with self._lock:
            self.requests.append(request)
            answers = self._answers.get(request.path)
            if callable(answers):
                return answers(request)
            if not answers:
                return Answer(404, b'{"code":"NotFound"}')
            return answers.pop(0) if len(answers) > 1 else answers[0]


def make_certificate(folder):
    """A self-signed certificate for 127.0.0.1: (certificate file, key file)."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-keyout", key, "-out", certificate, "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return str(certificate), str(key)
