#!/usr/bin/env python3
"""Follows a room and can write to it: client.py http://localhost:8080 LOGIN PASSWORD ROOM [TEXT]"""
import base64, json, os, socket, struct, sys, urllib.parse, urllib.request
from http.cookiejar import CookieJar

base, login, password, room, *text = sys.argv[1:]
jar = CookieJar()
web = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
form = urllib.parse.urlencode({"login": login, "password": password}).encode()
web.open(urllib.request.Request(base + "/sign-in", form, {"Accept": "application/json"}))
host, cookie = urllib.parse.urlsplit(base).netloc, "; ".join(f"{c.name}={c.value}" for c in jar)
sock = socket.create_connection(host.split(":"))
nonce = base64.b64encode(os.urandom(16)).decode()
sock.sendall((f"GET /live/data HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n"
              "Connection: Upgrade\r\nUpgrade: websocket\r\n"
              f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {nonce}\r\n\r\n").encode())
stream = sock.makefile("rb")
while stream.readline() != b"\r\n": pass  # the head of the response

def send(data, kind=0x81):  # RFC 6455: one masked frame
    size = len(data)
    head = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
    sock.sendall(bytes([kind]) + head + bytes(4) + data)

def messages():
    while head := stream.read(2):
        size = head[1]
        if size > 125: size = int.from_bytes(stream.read(2 if size == 126 else 8), "big")
        data = stream.read(size)
        if head[0] == 0x89: send(data, 0x8A)  # answer a ping with a pong
        elif head[0] == 0x81: yield json.loads(data)

send(json.dumps({"type": "subscribe", "feed": f"room/{room}"}).encode())
for message in messages():
    print(json.dumps(message), flush=True)
    if message["type"] == "subscribed" and text:
        send(json.dumps({"type": "act", "id": "1", "action": "chat.post", "fields":
                         {"room": room, "body": text[0], "key": os.urandom(8).hex()}}).encode())
