"""What a browser's developer tools give away about a web interface: requests copied as cURL, and HAR files.

Here: shell words, the cURL command, HAR entries, and what of them can be replayed. Pure: text and events in, values
out. Not here: files and streaming (``resources.clients.captures``), the replay (``resources.clients.retailcrm_web``),
storing. Nothing of a capture is ever run: a command is read as text.
"""

from conversations.captures.batch import ENDPOINT, NEEDED, OPERATIONS, Capture, Gathering, Operation
from conversations.captures.curl import requests_of
from conversations.captures.har import exchanges_of
from conversations.captures.shapes import CODES, Exchange, NotACapture, Request

__all__ = [
    "CODES",
    "ENDPOINT",
    "NEEDED",
    "OPERATIONS",
    "Capture",
    "Exchange",
    "Gathering",
    "NotACapture",
    "Operation",
    "Request",
    "exchanges_of",
    "requests_of",
]
