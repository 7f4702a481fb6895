"""What a person reads about requests copied from a browser: what was found, what is missing, why it cannot be used.

Here: words of ``otklik connect retailcrm-web`` and of the doors that ``otklik probe`` shows. Not here: other accounts
(``connections``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from conversations.messages.numbers import plural

_AGAIN = "откройте страницу чатов, в DevTools → Network найдите запрос batch"


class CapturesHelp:
    """Help texts of the options."""

    CURL: Final = (
        "Для retailcrm-web: файл с запросом из браузера (Copy → Copy as cURL (bash)); можно указать несколько раз."
    )
    HAR: Final = "Для retailcrm-web: файл HAR с данными (Export HAR with sensitive data); читается потоком, хоть 1 ГБ."
    TIME_ZONE: Final = "Для retailcrm-web: часовой пояс аккаунта; по умолчанию RETAILCRM_TIMEZONE."


class Captures:
    """What the command prints. `{}` is filled by the caller."""

    TITLE: Final = "Что есть в захвате ({})"
    OPERATION: Final = "Запрос страницы"
    STATE: Final = "Найден"
    GIVES: Final = "Что даёт"
    FOUND: Final = "да"
    KEPT: Final = "нет, остаётся прежний"
    ABSENT: Final = "нет"
    WHAT: Final = {
        "ChannelsList": "названия каналов",
        "chatsList": "список чатов",
        "messages": "полную переписку",
    }
    WITHOUT: Final = {
        "ChannelsList": "Без ChannelsList каналы известны только по чатам: канал без чатов не виден.",
        "messages": (
            "Без messages видны только последние сообщения чатов, ожидания клиентов по ним не считаются. "
            "Откройте чат, пролистайте его вверх, скопируйте запрос messages и подключите: "
            "--curl СПИСОК --curl СООБЩЕНИЯ"
        ),
    }
    SAME_ACCOUNT: Final = (
        "{} и {} ведут в один аккаунт ({}): его переписка считается дважды. "
        "Оставьте одно подключение: otklik disable {}"
    )
    DELETE: Final = "В файле захвата остались cookie вашего входа: удалите его, он больше не нужен."

    @staticmethod
    def session(headers: Sequence[str], others: int) -> str:
        """
        >>> Captures.session(["cookie", "x-client-token"], 2)
        'Заголовки для повтора: cookie, x-client-token. Других запросов страницы: 2, они не нужны.'
        """
        told = f"Заголовки для повтора: {', '.join(headers)}."
        return f"{told} Других запросов страницы: {others}, они не нужны." if others else told


class CaptureErrors:
    """One line each: what happened and what to do."""

    NO_FILES: Final = (
        "нужен захват из браузера: --curl ФАЙЛ (можно несколько) или --har ФАЙЛ. " + _AGAIN[0].upper() + _AGAIN[1:]
    )
    BOTH: Final = "дайте что-то одно: --curl или --har"
    NOT_FOR_WEB: Final = "{} не для retailcrm-web: адрес и доступ берутся из захвата (--curl или --har)"
    ONLY_WEB: Final = "{} только для retailcrm-web"
    IN_FILE: Final = "{}: {}"
    UNREADABLE: Final = "файл не читается ({})"
    SAME_ACCOUNT: Final = (
        "аккаунт {} уже подключён как {}: его переписка считалась бы дважды. Сначала otklik disable {}; дни, которые "
        "загружены через него, остаются, новым подключением загружайте только следующие"
    )

    WHY: Final = {
        "addresses": "в захвате запросы к двум разным адресам: подключайте аккаунты по одному",
        "body": "в запросе нет тела batch в JSON: " + _AGAIN + " и скопируйте его целиком",
        "cmd": "это Copy as cURL (cmd): скопируйте ещё раз, выбрав Copy as cURL (bash)",
        "compressed": "файл сжат: распакуйте его и дайте сам .har или .txt",
        "control": "внутри кавычек нулевой символ или половина символа: скопируйте запрос ещё раз",
        "curl_not_har": "это запрос cURL, а не HAR: дайте его через --curl",
        "deep": "вложенность глубже, чем бывает у HAR: это не файл браузера",
        "empty": "файл пуст",
        "encoding": "файл не в UTF-8: сохраните его в UTF-8",
        "expansion": "в команде подстановка оболочки ($ или `): такого браузер не пишет, скопируйте запрос ещё раз",
        "fetch": "это Copy as fetch: скопируйте ещё раз, выбрав Copy as cURL (bash)",
        "file": "команда читает файл этой машины ({}): скопируйте запрос из браузера, там тело написано целиком",
        "har_not_curl": "это JSON, а не команда cURL: файл HAR дайте через --har",
        "header": "заголовок, который нельзя отправить ({}): скопируйте запрос ещё раз",
        "json": "это не JSON: ошибка около байта {}. Сохраните HAR ещё раз (Export HAR)",
        "large": "файл или запрос слишком большой: cURL до 4 МиБ, HAR до 2 ГиБ, один запрос до 4 МиБ",
        "no_batch": "в HAR нет запросов к …/api/graphql/v1/batch: откройте страницу чатов при открытой вкладке Network",
        "no_chats": "нет запроса chatsList (список чатов), без него читать нечего: обновите страницу и захватите его",
        "no_curl": "команда не начинается с curl: скопируйте запрос через Copy as cURL (bash)",
        "no_log": "в файле нет log.entries: это не HAR",
        "no_operations": "среди запросов нет ChannelsList, chatsList и messages с текстом запроса: " + _AGAIN,
        "no_session": (
            "в захвате нет cookie: браузер убрал их при сохранении. Для HAR выберите Export HAR (with sensitive data), "
            "для cURL скопируйте запрос со страницы, где вы вошли"
        ),
        "not_batch": "это запрос не к …/api/graphql/v1/batch: " + _AGAIN,
        "open_quote": "кавычка не закрыта: команда скопирована не до конца",
        "option": "ключ {} здесь не принимается: захват только читается, никогда не выполняется. Уберите его",
        "powershell": "это Copy as PowerShell: скопируйте ещё раз, выбрав Copy as cURL (bash)",
        "several_bodies": "в команде два тела: скопируйте запрос ещё раз",
        "several_urls": "в одной команде два адреса: скопируйте один запрос",
        "shell": "в файле не только команды curl: оставьте то, что скопировал браузер",
        "truncated": "файл обрывается ({}): сохраните его ещё раз",
        "url": "в команде нет адреса https://…",
    }
    """By the code of ``conversations.captures.NotACapture``; ``{}``: its detail."""

    @staticmethod
    def why(code: str, detail: str) -> str:
        """
        >>> CaptureErrors.why("truncated", "6251")
        'файл обрывается (байт 6251): сохраните его ещё раз'
        """
        if code == "truncated" and detail.isdigit():
            detail = f"байт {detail}"
        return CaptureErrors.WHY[code].format(detail).replace(" ()", "")


class Doors:
    """The ways into an account, as `otklik probe` without a source shows them."""

    TITLE: Final = "Какая дверь открыта"
    DOOR: Final = "Дверь"
    CONNECTION: Final = "Подключение"
    STATE: Final = "Состояние"
    LACKS: Final = "Чего через неё нет"
    OPEN: Final = "открыта"
    PARTLY: Final = "частично"
    CLOSED: Final = "закрыта"
    ABSENT: Final = "не подключена: {}"
    NAMES: Final = {"bot": "Bot API", "v5": "API v5", "web": "веб-чаты (захват)"}
    CONNECT: Final = {
        "bot": "otklik connect retailcrm",
        "v5": "otklik connect retailcrm",
        "web": "otklik connect retailcrm-web --curl ФАЙЛ",
    }
    LACK: Final = {
        "bot": "клиентов CRM и заказов: они в API v5",
        "v5": "чатов и сообщений: в API v5 их нет",
        "web": "диалогов, клиентов CRM и заказов; открыта, пока жив вход в браузере",
    }
    NO_CAPTURE: Final = {
        "ChannelsList": "названий каналов (нет захвата ChannelsList)",
        "messages": "переписки, кроме последних сообщений (нет захвата messages)",
    }

    @staticmethod
    def closed(names: Sequence[str]) -> str:
        """
        >>> Doors.closed(["api/v5/orders"])
        'закрыт 1 вызов: api/v5/orders'
        """
        verb = "закрыт" if len(names) == 1 else "закрыто"
        return f"{verb} {plural(len(names), 'вызов', 'вызова', 'вызовов')}: {', '.join(names)}"
