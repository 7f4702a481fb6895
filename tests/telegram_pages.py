"""Pages as Telegram Desktop's HTML writer makes them, for tests: its layout by hand, nothing of the reader."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

HEAD = """<!DOCTYPE html>
<html>

 <head>

  <meta charset="utf-8"/>
<title>Exported Data</title>
  <meta content="width=device-width, initial-scale=1.0" name="viewport"/>

  <link href="css/style.css" rel="stylesheet"/>

  <script src="js/script.js" type="text/javascript">

  </script>

 </head>

 <body onload="CheckLocation();">

  <div class="page_wrap">

   <div class="page_header">

    <div class="content">

     <div class="text bold">
{title} 
     </div>

    </div>

   </div>

   <div class="page_body chat_page">

    <div class="history">
"""
TAIL = """
    </div>

   </div>

  </div>

 </body>

</html>
"""
NEXT = """
     <a class="pagination block_link" href="messages2.html">
Next messages
     </a>
"""


@dataclass
class Said:
    """One message as it is to be seen on a page."""

    number: int
    at: datetime
    author: str | None = None
    """``None``: joined to the message before it."""
    text: str = ""
    """With ``\\n`` for line breaks."""
    media: str = ""
    """Markup, ready."""
    zone: str = " UTC+03:00"
    reply_to: int | None = None
    forwarded_from: str | None = None


def day(number: int, text: str) -> str:
    """The heading of a day, or with a positive number a notice."""
    return f"""
     <div class="message service" id="message{number}">

      <div class="body details">
{text}
      </div>

     </div>
"""


def said(one: Said) -> str:
    """The markup of a message."""
    joined = " joined" if one.author is None else ""
    escaped = html.escape(one.text).replace("\n", "<br>")
    inner = ""
    if one.reply_to is not None:
        inner += f"""
       <div class="reply_to details">
In reply to <a href="#go_to_message{one.reply_to}" onclick="return GoToMessage({one.reply_to})">this message</a>
       </div>
"""
    inner += one.media
    if one.text:
        inner += f"""
       <div class="text">
{escaped}
       </div>
"""
    if one.forwarded_from is not None:
        inner = f"""
       <div class="forwarded body">

        <div class="from_name">
{html.escape(one.forwarded_from)}<span class="date details" title="01.01.2020 10:00:00{one.zone}"> 01.01.2020</span>
        </div>
{inner}
       </div>
"""
    name = (
        ""
        if one.author is None
        else f"""
       <div class="from_name">
{html.escape(one.author)} 
       </div>
"""
    )
    return f"""
     <div class="message default clearfix{joined}" id="message{one.number}">

      <div class="body">

       <div class="pull_right date details" title="{one.at:%d.%m.%Y %H:%M:%S}{one.zone}">
{one.at:%H:%M}
       </div>
{name}{inner}
      </div>

     </div>
"""


def generic(classes: str, title: str = "", status: str = "", description: str = "", link: str = "") -> str:
    """The box that the writer makes of a call, a voice message, a contact ..."""
    tag, more = ("a", f' href="{link}"') if link else ("div", "")
    rows = [("title bold", title), ("description", description), ("status details", status)]
    body = "".join(f'\n<div class="{name}">\n{html.escape(text)}\n</div>\n' for name, text in rows if text)
    return f"""
       <div class="media_wrap clearfix">

        <{tag} class="media clearfix pull_left {classes}"{more}>

         <div class="fill pull_left">

         </div>

         <div class="body">
{body}
         </div>

        </{tag}>

       </div>
"""


def whole(title: str, blocks: Iterable[str], has_next: bool = False) -> str:
    """A page of the blocks."""
    return HEAD.format(title=html.escape(title)) + "".join(blocks) + (NEXT if has_next else "") + TAIL


def _many(count: int) -> Iterator[str]:
    at = datetime(2024, 1, 10, 12)
    for number in range(1, count + 1):
        yield said(
            Said(number, at + timedelta(minutes=number), ("Анна", "Мы")[number % 2], f"Сообщение {number} & <т>")
        )


def page(title: str, count: int) -> str:
    """A page of ``count`` messages of two people."""
    return whole(title, _many(count))
