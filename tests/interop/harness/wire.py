"""The smallest remoting client: one request per connection, JSON header. For readiness and for frames no official client sends."""
import json
import socket
import struct


class Connection:
    """One socket that speaks remoting frames; every wait is bounded by `timeout` seconds."""

    def __init__(self, port, timeout=3.0):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._socket.settimeout(timeout)
        self._opaque = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def request(self, code, ext=None, body=b"", flag=0, version=433, language="CPP"):
        """Sends one request and returns (header, body) of its answer; a one-way request (flag 2) returns None."""
        self._opaque += 1
        header = json.dumps({"code": code, "language": language, "version": version, "opaque": self._opaque, "flag": flag,
                             "extFields": ext or {}, "serializeTypeCurrentRPC": "JSON"}).encode()
        self._socket.sendall(struct.pack(">II", 4 + len(header) + len(body), len(header)) + header + body)
        if flag & 2:
            return None
        while True:
            frame = self._need(struct.unpack(">I", self._need(4))[0])
            header_length = struct.unpack(">I", frame[:4])[0] & 0xFFFFFF
            answer = json.loads(frame[4:4 + header_length])
            if answer.get("opaque") == self._opaque and answer.get("flag", 0) & 1:
                return answer, frame[4 + header_length:]

    def send_raw(self, data):
        self._socket.sendall(data)

    def closed_by_peer(self):
        """True if the peer closes without sending anything more."""
        try:
            return self._socket.recv(1) == b""
        except ConnectionError:
            return True
        except socket.timeout:
            return False

    def _need(self, count):
        data = b""
        while len(data) < count:
            chunk = self._socket.recv(count - len(data))
            if not chunk:
                raise OSError("the peer closed the connection")
            data += chunk
        return data


def request(port, code, ext=None, body=b"", timeout=3.0, **more):
    with Connection(port, timeout) as connection:
        return connection.request(code, ext, body, **more)
