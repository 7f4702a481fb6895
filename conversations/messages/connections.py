"""What a person reads about connected accounts: their health, how to connect one, what a lost key means.

Here: words of ``otklik connect``, ``connections``, ``disable``, ``enable``, ``rotate-keys``. Not here: what is stored.
"""

from __future__ import annotations

from typing import Final

from conversations.messages.help import with_examples


class ConnectionsHelp:
    """Help texts by command and option."""

    CONNECT: Final = with_examples(
        "Подключить аккаунт: retailcrm, retailcrm-web (чаты по запросу из браузера), tbank (звонки), sheets (таблица "
        "Google) или telegram.\n\n"
        "Ключи берутся из файла env или спрашиваются без показа на экране; в базе они лежат зашифрованными. "
        "Перед записью источнику задаётся один безвредный вопрос.",
        "otklik connect retailcrm --env-file env",
        "otklik connect retailcrm --id shop2",
        "otklik connect retailcrm-web --curl web_curl.txt --curl web_messages_curl.txt",
        "otklik connect retailcrm-web --har chats.har",
        "otklik connect tbank --env-file env",
        "otklik connect sheets --env-file env",
        "pass show telegram | otklik connect telegram --env-file -",
    )
    CONNECT_VENDOR: Final = "Что подключить: retailcrm, retailcrm-web, tbank, sheets или telegram."
    CONNECT_ID: Final = "Имя подключения в таблицах; по умолчанию как источник."
    CONNECT_ENV_FILE: Final = "Файл со строками ИМЯ=значение (как .env); «-» — прочитать со стандартного ввода."
    CONNECT_BASE_URL: Final = "Адрес API, если он не обычный."
    CONNECT_FIELDS: Final = "Файл с другими именами полей телефонии (YAML или JSON, docs/tbank.md); только для tbank."
    CONNECT_NO_CHECK: Final = "Записать, не спрашивая источник."

    CONNECTIONS: Final = with_examples(
        "Подключения и их здоровье: работает ли ключ, когда данные прочитаны до конца.",
        "otklik connections",
        "otklik connections --json",
    )

    DISABLE: Final = with_examples(
        "Перестать пользоваться подключением. Загруженные данные остаются.",
        "otklik disable shop2",
        "otklik disable shop2 --forget",
    )
    ENABLE: Final = with_examples("Снова пользоваться подключением.", "otklik enable shop2")
    NAME: Final = "Имя подключения, как в `otklik connections`."
    DISABLE_FORGET: Final = "Удалить и сохранённые ключи: снова подключить можно будет только с новыми."

    ROTATE: Final = with_examples(
        "Сменить ключ шифрования: сохранённые доступы перешифровываются, старый ключ больше ничего не открывает.\n\n"
        "Если ключи заданы в OTKLIK_SECRET_KEYS: допишите новый первым, выполните команду, затем уберите старый. "
        "Прерванная смена доводится до конца той же командой.",
        "otklik rotate-keys",
        "otklik rotate-keys --new-key",
    )
    ROTATE_NEW_KEY: Final = "Только напечатать новый ключ для OTKLIK_SECRET_KEYS, ничего не меняя."


class Connections:
    """What the commands print. `{}` is filled by the caller."""

    VENDORS: Final = {
        "retailcrm": "RetailCRM",
        "retailcrm-web": "RetailCRM, веб-чаты",
        "tbank": "T-Банк, звонки",
        "sheets": "Google Таблицы",
        "telegram": "Telegram",
    }
    NAME: Final = "Подключение"
    VENDOR: Final = "Источник"
    ORIGIN: Final = "Откуда ключи"
    STATE: Final = "Состояние"
    CHECKED: Final = "Проверено"
    SYNCED: Final = "Прочитано до конца"
    TITLE: Final = "Подключения"
    EMPTY: Final = "Ни одного подключения нет. Подключить: otklik connect retailcrm --env-file env"

    STATES: Final = {
        "ok": "в порядке",
        "needs_auth": "ключ не принят",
        "rate_limited": "источник просит реже",
        "broken": "не работает",
        "unknown": "ещё не проверялось",
        "disabled": "отключено",
        "no_key": "нет ключа шифрования",
        "silenced": "молчит: TELEGRAM_ENABLED=0",
        "shadowed": "не используется: действует окружение",
    }
    SESSION_OVER: Final = "сессия истекла"
    NO_KEY: Final = "{}: ключ шифрования {} не найден в {}. Верните его; пока его нет, ничего не загружается"
    NEVER: Final = "ещё нет"
    ORIGINS: Final = {
        "stored": "сохранены",
        "environment": "окружение",
        "environment_wins": "окружение",
        "environment_gone": "окружение",
        "forgotten": "удалены",
    }
    NOTES: Final = {
        "environment_wins": "{}: действуют переменные окружения, сохранённые ключи не используются",
        "environment_gone": "{}: было описано переменными окружения, сейчас они не заданы",
    }

    FIELDS: Final = {
        "base_url": "Адрес",
        "api_key": "Ключ API v5",
        "bot_token": "Токен бота",
        "mg_base_url": "Адрес MessageGateway",
        "time_zone": "Часовой пояс аккаунта",
        "login": "Логин",
        "password": "Пароль",
        "login_path": "Адрес начала сессии",
        "auth_type": "Вид входа",
        "auth_system": "Система входа",
        "fields": "Имена полей",
        "spreadsheet_id": "Таблица: ссылка или её часть после /d/",
        "service_account": "Файл ключа сервисного аккаунта (JSON)",
        "chat_id": "Чат: число или @имя",
    }
    HIDDEN: Final = " (не показывается)"

    @staticmethod
    def connected(name: str, vendor: str, checked: bool) -> str:
        how = "ключ принят" if checked else "источник не спрашивали"
        return f"Подключено: {name} ({vendor}), {how}. Доступы записаны в базу зашифрованными."

    NEW_KEY_FILE: Final = (
        "Создан ключ шифрования: {}. Сохраните его копию отдельно от копий базы: без него доступы не прочитать."
    )
    ENVIRONMENT_WINS: Final = (
        "Под именем {} есть и переменные окружения. Пока они заданы, действуют они, а не сохранённое."
    )
    READABLE: Final = "Файл {} могут прочитать другие пользователи этой машины: chmod 600 {}"
    DISABLED: Final = "{}: отключено. Данные остаются; включить снова: otklik enable {}"
    FORGOTTEN: Final = "{}: отключено, сохранённые ключи удалены. Подключить заново: otklik connect"
    ENABLED: Final = "{}: включено."

    @staticmethod
    def rotated(rows: str, source: str, is_file: bool) -> str:
        if is_file:
            return f"Перешифровано: {rows}. Старый ключ удалён из {source} и больше ничего не открывает."
        return f"Перешифровано: {rows}. Теперь оставьте в {source} только первый ключ: остальные больше не нужны."

    NO_KEYS: Final = "Менять нечего: сохранённых доступов ещё не было, и ключа шифрования нет."
    ROWS: Final = ("подключение", "подключения", "подключений")


class ConnectionErrors:
    """One line each: what happened and what to do."""

    UNKNOWN_VENDOR: Final = "неизвестный источник «{}». Есть: {}"
    NAME: Final = "«{}» не годится как имя: до 64 букв, цифр и знаков . _ -"
    NO_FILE: Final = "нет файла {}"
    UNREADABLE: Final = "файл {} не читается: нужен текст UTF-8 до 1 МиБ"
    MISSING: Final = "не хватает: {}. Впишите в файл env (--env-file) или запустите в терминале, где можно спросить"
    ONLY_TBANK: Final = "{} только для tbank"
    FIELDS: Final = "файл {} не годится: {}"
    TIME_ZONE: Final = "«{}» не похоже на часовой пояс: пишите как Europe/Moscow"
    ADDRESS: Final = (
        "адрес не годится: нужен https://имя без пути с ключами (http — только для этой машины "
        "и узлов из HTTP_ALLOWED_PRIVATE_HOSTS)"
    )
    KEY_FILE: Final = "файл ключа сервисного аккаунта не годится: нужен JSON, который выдаёт Google ({})"
    SPREADSHEET: Final = "«{}» не похоже на таблицу: дайте ссылку на неё или часть ссылки после /d/"
    CHAT: Final = "«{}» не похоже на чат: нужно число или @имя"
    NOT_ASKED: Final = (
        "источник не ответил, ничего не записано ({}). Повторите позже или запишите, не спрашивая: --no-check"
    )
    NOT_SHARED: Final = "таблица не открыта сервисному аккаунту: поделитесь ею с {} как с редактором и повторите"
    NO_SPREADSHEET: Final = "таблицы {} нет: дайте ссылку на неё или часть ссылки после /d/"
    NO_CHAT: Final = "бот не знает чата {}: добавьте его туда или напишите ему первым и повторите"
    ONLY_ONE: Final = "уже подключено как {}: действовать может одно. Сначала otklik disable {}"
    TAKEN: Final = "имя «{}» занято источником {}: назовите подключение иначе через --id"
    NO_SECOND_KEY: Final = (
        "ключи заданы в OTKLIK_SECRET_KEYS, и новее первого нет: допишите новый первым через запятую "
        "(напечатать: otklik rotate-keys --new-key), затем повторите"
    )
    KEYS_LOST: Final = (
        "нет ключа, которым зашифрованы сохранённые доступы: верните файл ключей или OTKLIK_SECRET_KEYS. Новый ключ "
        "сам не создаётся. Если старый потерян навсегда: otklik disable ИМЯ --forget и подключите заново"
    )
    DAMAGED: Final = "сохранённые доступы повреждены: подключите аккаунт заново (otklik connect)"
    NO_SUCH: Final = "такого подключения или его ключей нет: список — otklik connections"
