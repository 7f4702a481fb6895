"""Runs in a venv of its own: reads WhatsApp exports with one published library, prints what it found.

    python whatsapp_others.py whatstk|chat-miner FILE...

One JSON object a file: seconds of CPU and messages as [local time to the minute, author, text], or an error's class.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time


def whatstk(path: str) -> list[list[str]]:
    from whatstk import WhatsAppChat

    frame = WhatsAppChat.from_source(path).df
    return [
        [at.strftime("%Y-%m-%dT%H:%M"), str(author), str(text)]
        for at, author, text in zip(frame["date"], frame["username"], frame["message"], strict=True)
    ]


def chat_miner(path: str) -> list[list[str]]:
    from chatminer.chatparsers import WhatsAppParser

    parser = WhatsAppParser(path)
    parser.parse_file()
    frame = parser.parsed_messages.get_df()
    return [
        [at.strftime("%Y-%m-%dT%H:%M"), str(author), str(text)]
        for at, author, text in zip(frame["timestamp"], frame["author"], frame["message"], strict=True)
    ]


def main() -> None:
    read = {"whatstk": whatstk, "chat-miner": chat_miner}[sys.argv[1]]
    for path in sys.argv[2:]:
        started = time.process_time()
        quiet = io.StringIO()
        try:
            with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
                answer = {"messages": read(path)}
        except Exception as error:  # whatever it raises, it did not read the file
            answer = {"error": type(error).__name__}
        print(json.dumps({**answer, "cpu": time.process_time() - started}))


if __name__ == "__main__":
    main()
