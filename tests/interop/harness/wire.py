"""The smallest remoting client: one request per connection, JSON header. For readiness and for frames no official client sends."""
import json
import re
import socket
import struct
import time


class Connection:
    """One socket that speaks remoting frames; every wait is bounded by `timeout` seconds."""

    def __init__(self, port, timeout=3.0):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._socket.settimeout(timeout)
        self._timeout = timeout
        self._opaque = 0
        self._answers = {}  # by opaque, not yet asked for
        self._pushed = []  # requests of the broker, not yet asked for

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def request(self, code, ext=None, body=b"", flag=0, version=433, language="CPP"):
        """Sends one request and returns (header, body) of its answer; a one-way request (flag 2) returns None."""
        opaque = self.send(code, ext, body, flag, version, language)
        return None if flag & 2 else self.answer_to(opaque)

    def send(self, code, ext=None, body=b"", flag=0, version=433, language="CPP"):
        """Sends one request and returns its number."""
        self._opaque += 1
        header = json.dumps({"code": code, "language": language, "version": version, "opaque": self._opaque, "flag": flag,
                             "extFields": ext or {}, "serializeTypeCurrentRPC": "JSON"}).encode()
        self._socket.sendall(struct.pack(">II", 4 + len(header) + len(body), len(header)) + header + body)
        return self._opaque

    def answer_to(self, opaque):
        """(header, body) of the answer to the request of that number."""
        while opaque not in self._answers:
            self._read()
        return self._answers.pop(opaque)

    def pushed(self, code, seconds=3):
        """(header, body) of the first request with that code that the broker has sent, or sends meanwhile; None if it sends none."""
        end = time.monotonic() + seconds
        try:
            while True:
                for i, (header, body) in enumerate(self._pushed):
                    if header["code"] == code:
                        del self._pushed[i]
                        return header, body
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self._socket.settimeout(left)
                self._read()
        except socket.timeout:
            return None
        finally:
            self._socket.settimeout(self._timeout)

    def _read(self):
        frame = self._need(struct.unpack(">I", self._need(4))[0])
        header_length = struct.unpack(">I", frame[:4])[0] & 0xFFFFFF
        header, body = json.loads(frame[4:4 + header_length]), frame[4 + header_length:]
        if header.get("flag", 0) & 1:
            self._answers[header.get("opaque")] = (header, body)
        else:
            self._pushed.append((header, body))

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


def lenient_json(text):
    """JSON in which fastjson left numbers as keys without quotes."""
    return json.loads(re.sub(rb'([{,])\s*(-?\d+)\s*:', rb'\1"\2":', text))
