"""Every Russian text that a person reads: command output and help, table headings, units, outcome names.

Here: words and the formatting of numbers for people, and nothing else may hold such words. Not here: what is counted
(marts), how it is drawn (``orchestration.cli.screen``), log lines and documentation (English).

One quantity is always called by one name; a number always comes with its unit and, for a share, with its n.
"""

from conversations.messages.accounts import Accounts
from conversations.messages.alerts import Alerts, AlertsHelp
from conversations.messages.audit import Audit, AuditHelp
from conversations.messages.captures import CaptureErrors, Captures, CapturesHelp, Doors
from conversations.messages.changes import Changes, Metrics
from conversations.messages.connections import ConnectionErrors, Connections, ConnectionsHelp
from conversations.messages.customers import Customers, CustomersHelp
from conversations.messages.deploy import Migrate
from conversations.messages.digest import DigestHelp, Digests
from conversations.messages.doctoring import ScoringDoctor
from conversations.messages.errors import Errors
from conversations.messages.explain import Explain, ExplainHelp
from conversations.messages.explain_talks import ExplainTalks
from conversations.messages.help import Help
from conversations.messages.imports import Imports, ImportsHelp
from conversations.messages.labels import Labels, LabelsHelp
from conversations.messages.names import CHANNEL_KINDS, LAYERS, NO_MANAGER, OUTCOMES, REASONS, reason
from conversations.messages.numbers import NONE, day, days, minutes, number, plural, points, share
from conversations.messages.output import Doctor, Import, Load, Probe, Service, Sql, Up, Week, WeekCalls
from conversations.messages.readme import DEFINITIONS, ReadMe
from conversations.messages.requirements import Requirements, RequirementsHelp
from conversations.messages.score import Score, ScoreHelp
from conversations.messages.scoring import ByRules, Judge, PromptErrors
from conversations.messages.sheets import Headings, Masks, Words, channel_title, short_name, week_title
from conversations.messages.talks import DEFINITIONS_OF_TALKS, Talks, TalkWords
from conversations.messages.telegram import Telegram, TelegramHelp
from conversations.messages.weekly import Weekly, WeeklyWords

__all__ = [
    "CHANNEL_KINDS",
    "DEFINITIONS",
    "DEFINITIONS_OF_TALKS",
    "LAYERS",
    "NONE",
    "NO_MANAGER",
    "OUTCOMES",
    "REASONS",
    "Accounts",
    "Alerts",
    "AlertsHelp",
    "Audit",
    "AuditHelp",
    "ByRules",
    "CaptureErrors",
    "Captures",
    "CapturesHelp",
    "Changes",
    "ConnectionErrors",
    "Connections",
    "ConnectionsHelp",
    "Customers",
    "CustomersHelp",
    "DigestHelp",
    "Digests",
    "Doctor",
    "Doors",
    "Errors",
    "Explain",
    "ExplainHelp",
    "ExplainTalks",
    "Headings",
    "Help",
    "Import",
    "Imports",
    "ImportsHelp",
    "Judge",
    "Labels",
    "LabelsHelp",
    "Load",
    "Masks",
    "Metrics",
    "Migrate",
    "Probe",
    "PromptErrors",
    "ReadMe",
    "Requirements",
    "RequirementsHelp",
    "Score",
    "ScoreHelp",
    "ScoringDoctor",
    "Service",
    "Sql",
    "TalkWords",
    "Talks",
    "Telegram",
    "TelegramHelp",
    "Up",
    "Week",
    "WeekCalls",
    "Weekly",
    "WeeklyWords",
    "Words",
    "channel_title",
    "day",
    "days",
    "minutes",
    "number",
    "plural",
    "points",
    "reason",
    "share",
    "short_name",
    "week_title",
]
