"""The gateway: one process that answers AWS's APIs on loopback.

`server` speaks HTTP, `application` is our middleware in front of moto's own server application, `control` is what
Lifeboat asks of it under `/_lifeboat/`, `calls` tells which call a request is, `answers` refuses in the caller's
protocol.
"""
