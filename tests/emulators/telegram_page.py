"""A chat as a page, so that people can look at what the bot has sent.

Here: HTML of messages, with their entities as Telegram shows them. Not here: messages themselves (``telegram``).
"""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

_TAGS = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "expandable_blockquote": "blockquote",
}
_STYLE = """
body{margin:0;min-height:100vh;background:#c9d9b3 linear-gradient(160deg,#d3dfb4,#a9c9a0);
font:15px/1.4 "Noto Sans",Roboto,sans-serif}
header{position:sticky;top:0;background:#fff;padding:10px 18px;border-bottom:1px solid #d8dee4}
header b{display:block;font-size:16px}header span{color:#707579;font-size:13px}
main{max-width:680px;margin:0 auto;padding:14px}
.day{text-align:center;margin:12px 0}.day span{background:#7a9a6ccc;color:#fff;border-radius:12px;padding:3px 10px;
font-size:13px}
.m{background:#fff;border-radius:4px 14px 14px 14px;padding:7px 12px 5px;margin:6px 60px 6px 0;width:fit-content;
display:flow-root;max-width:100%;box-shadow:0 1px 1px #0002;white-space:pre-wrap;overflow-wrap:anywhere}
.m.me{background:#eeffde;margin:6px 0 6px auto;border-radius:14px 4px 14px 14px}
.m .who{display:block;color:#3a8ad4;font-weight:600;font-size:14px}.m time{float:right;color:#8a959c;font-size:12px;
margin:7px 0 0 14px}
.m img{display:block;max-width:100%;border-radius:8px;margin:2px 0 6px}
code,pre{background:#eef2f4;border-radius:4px;font:13px "Noto Sans Mono",monospace;padding:1px 4px;
margin:2px 0;white-space:pre-wrap}
blockquote{border-left:3px solid #3a8ad4;background:#eaf3fb;margin:2px 0;padding:2px 9px;border-radius:4px}
.spoiler{background:#bbb;color:#bbb;border-radius:3px}a{color:#2481cc;text-decoration:none}
@media (max-width:500px){main{padding:8px}.m{margin-right:18px}}
.none{text-align:center;color:#4b6342;margin-top:60px}
"""


def page(chat: dict[str, Any], messages: list[dict[str, Any]]) -> str:
    """The whole chat, oldest message first."""
    name = chat.get("title") or chat.get("first_name", "")
    kind = {"private": "личный чат", "channel": "канал"}.get(chat["type"], "группа")
    notes = " · бот заблокирован" if chat.get("_blocked") else " · группа переехала" if "_migrated" in chat else ""
    parts, day = [], ""
    for message in messages:
        moment = datetime.fromtimestamp(message["date"])
        if f"{moment:%d.%m.%Y}" != day:
            day = f"{moment:%d.%m.%Y}"
            parts.append(f'<div class="day"><span>{day}</span></div>')
        parts.append(_bubble(message, moment))
    body = "\n".join(parts) or '<p class="none">Пока ни одного сообщения</p>'
    return (
        f'<!DOCTYPE html>\n<html lang="ru"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(name)}</title>'
        f"<style>{_STYLE}</style></head><body><header><b>{escape(name)}</b><span>{kind}{notes}</span></header>"
        f"<main>{body}</main></body></html>\n"
    )


def _bubble(message: dict[str, Any], moment: datetime) -> str:
    sender = message["from"]
    text = marked(
        message.get("text", message.get("caption", "")), message.get("entities", message.get("caption_entities", []))
    )
    photo = ""
    if "photo" in message:
        file_id = escape(message["photo"][-1]["file_id"])
        photo = f'<img alt="" src="/_emulator/photo/{file_id}">'
    kind = "m" if sender["is_bot"] else "m me"
    who = escape(sender["first_name"])
    return f'<div class="{kind}"><span class="who">{who}</span>{photo}{text}<time>{moment:%H:%M}</time></div>'


def marked(text: str, entities: list[dict[str, Any]]) -> str:
    """The text as HTML; entities nest, offsets count UTF-16 units."""
    raw = text.encode("utf-16-le", "surrogatepass")
    opens: dict[int, list[str]] = {}
    closes: dict[int, list[str]] = {}
    for entity in sorted(entities, key=lambda one: (one["offset"], -one["length"])):
        start, end = entity["offset"], entity["offset"] + entity["length"]
        if entity["type"] == "text_link":
            first, last = f'<a href="{escape(entity["url"])}">', "</a>"
        elif entity["type"] == "spoiler":
            first, last = '<span class="spoiler">', "</span>"
        else:
            tag = _TAGS.get(entity["type"], "span")
            first, last = f"<{tag}>", f"</{tag}>"
        opens.setdefault(start, []).append(first)
        closes.setdefault(end, []).insert(0, last)
    places = sorted({0, len(raw) // 2, *opens, *closes})
    result = []
    for number, place in enumerate(places):
        result += [*closes.get(place, []), *opens.get(place, [])]
        if number + 1 < len(places):
            part = raw[place * 2 : places[number + 1] * 2].decode("utf-16-le", "replace")
            result.append(escape(part))
    return "".join(result)
